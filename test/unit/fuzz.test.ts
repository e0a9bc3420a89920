import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FailureError, InputError } from '../../src/core/errors.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { decodeNpy, encodeNpy } from '../../src/core/npy.js';
import { crc32, decodeNpz, encodeNpz, encodeZip } from '../../src/core/npz.js';
import { Random } from '../../src/core/random.js';
import { parseDataSpec } from '../../src/experiment/dataText.js';
import { applyOverrides, expandVary, parseOverride } from '../../src/experiment/overrides.js';
import { resolveDefinition } from '../../src/experiment/schema.js';
import { loadData } from '../../src/network/data/index.js';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/network/training/index.js';
import { checkViewMessage, hostReceiver, Sender, trainerReceiver } from '../../src/protocol/validate.js';
import { lossSketch, readRun, readSnapshots, readSweepFile } from '../../src/runs/index.js';
import { temporaryFolder } from '../helpers/folders.js';

// By name, with so many inputs in all: KERNELSCOPE_FUZZ=200000 npx vitest run --config test/vitest.config.ts --project unit test/unit/fuzz.test.ts
const inputs = Number(process.env['KERNELSCOPE_FUZZ'] ?? 4000);
const long = process.env['KERNELSCOPE_FUZZ'] !== undefined;
const seed = Number(process.env['KERNELSCOPE_FUZZ_SEED'] ?? 1);

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
});
afterAll(() => place.clean());

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const nasty = [
  ...['null', '[]', '{}', '-1', '1e999', 'NaN', '""', '"\\u0000"', '{"__proto__":1}', '[[[[[[[[', 'true'],
  ...[
    '99999999999999999999',
    '0.1',
    '"constructor"',
    '../',
    '\n',
    '\r\n',
    ',',
    '=',
    '..',
    '\\',
    "'",
    '"',
    '(',
  ],
];

/** A changed copy: bytes, pieces and numbers of a file go wrong in the ways that files go wrong. */
function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let out = bytes.slice();
  for (let k = 1 + random.integer(4); k > 0; k--) {
    const at = random.integer(out.length + 1);
    const end = Math.min(out.length, at + random.integer(1 + random.integer(40)));
    const piece = out.subarray(at, end);
    const put = (middle: Uint8Array, from = at, to = at) =>
      Uint8Array.from([...out.subarray(0, from), ...middle, ...out.subarray(to)]);
    switch (random.integer(8)) {
      case 0:
        if (at < out.length) out[at] ^= 1 << random.integer(8);
        break;
      case 1:
        if (at < out.length) out[at] = [0, 255, 128, 127, 10, 34, 123][random.integer(7)];
        break;
      case 2:
        out = out.slice(0, at);
        break;
      case 3:
        out = put(new Uint8Array(0), at, end);
        break;
      case 4:
        out = put(piece.slice());
        break;
      case 5:
        out = put(text(nasty[random.integer(nasty.length)]), at, end);
        break;
      case 6:
        if (at + 4 <= out.length)
          new DataView(out.buffer, out.byteOffset).setUint32(
            at,
            [0, 1, 0xffffffff, 0x7fffffff, out.length][random.integer(5)],
            true,
          );
        break;
      default:
        out = put(text(nasty[random.integer(nasty.length)]));
    }
  }
  return out;
}

type Parser = readonly [name: string, seeds: readonly Uint8Array[], parse: (bytes: Uint8Array) => unknown];
const asText = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const asJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(asText(bytes));
  } catch {
    throw new InputError('It is not JSON.');
  }
};

const checkpoint = encodeCheckpoint(
  {
    step: 3,
    time: 0.3,
    weights: [{ shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }],
    optimizer: {
      count: 3,
      noise: [1, 2, 3, 4, null],
      slots: { 0: { first: Float32Array.of(1, 2, 3, 4), second: null } },
    },
    recorder: {
      told: { kernel: true, row: false },
      over: false,
      kernelValues: { drift: 0.1, loss: Number.NaN },
      observer: null,
      places: [{ step: 0, weights: Float32Array.of(1) }],
    },
  },
  { metrics: 10, timing: 20, events: 30 },
);
const runJson = {
  schemaVersion: 1,
  info: {
    run: 'r',
    folder: '/r',
    name: 'r',
    source: { file: '/m.ts', exportName: 'default' },
    definition: { steps: 2 },
    backend: { name: 'wasm', why: '' },
    ...{
      steps: 2,
      learningRate: 0.1,
      parameters: 3,
      layers: ['dense'],
      outputs: 1,
      train: 4,
      test: 0,
      seed: 1,
    },
    probe: { size: 2, outputs: 1, labels: [] },
    startedAt: '2026-01-01T00:00:00.000Z',
  },
  status: 'finished',
  ended: {
    status: 'finished',
    step: 2,
    summary: {
      ...{
        loss: { train: 1, test: null },
        accuracy: null,
        drift: 0.1,
        movement: {},
        regime: 'lazy',
        seconds: 1,
      },
    },
  },
  request: { overrides: {} },
  pid: 1,
  source: { sha256: '', gitCommit: null },
  versions: {},
  machine: {},
};

/** A parser of one file of a run folder, the others being whole. */
function ofRun(name: string, content: Uint8Array, read: (folder: string) => unknown): Parser {
  return [
    name,
    [content],
    (bytes) => {
      const folder = path.join(place.path, 'run');
      mkdirSync(path.join(folder, path.dirname(name)), { recursive: true });
      writeFileSync(path.join(folder, 'run.json'), JSON.stringify(runJson));
      writeFileSync(path.join(folder, name), bytes);
      try {
        return read(folder);
      } finally {
        writeFileSync(path.join(folder, name), name === 'run.json' ? JSON.stringify(runJson) : content);
      }
    },
  ];
}
function ofData(kind: 'csv' | 'npz', content: Uint8Array): Parser {
  return [
    `data.${kind}`,
    [content],
    (bytes) => {
      writeFileSync(path.join(place.path, `data.${kind}`), bytes);
      return loadData({ kind, path: `data.${kind}` }, { folder: place.path, seed: 1, loss: 'mse' });
    },
  ];
}

const arrays = encodeNpz({
  x: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] },
  y: { data: Float32Array.of(1, 2, 3) },
});
const rows = '{"step":0,"time":0,"loss":1.5}\n{"step":1,"time":0.1,"loss":null}\n{"step":2,"time":0.2}\n';
const architecture = {
  parameterization: 'ntk',
  layers: [
    { dense: { sigmaW: 1.4, sigmaB: null, width: 64 } },
    { activation: { leakyRelu: 0.1 } },
    { dense: { sigmaW: 1, sigmaB: 0.1, width: 32 } },
    {
      residual: { branch: [{ activation: 'relu' }, { dense: { sigmaW: 1, sigmaB: 0 } }], shortcut: [] },
    },
    { dense: { sigmaW: 1, sigmaB: 0 } },
  ],
};
const definition = {
  model: { kind: 'twoLayer', width: 16, activation: 'tanh', scale: 'ntk' },
  data: { kind: 'teacher', dimension: 4, train: 8 },
  loss: 'mse',
  optimizer: { kind: 'sgd', learningRate: 0.1 },
  steps: 3,
};
const plain = encodeNpy(new Float64Array(300));
const deflated = (bytes: Uint8Array) => new Uint8Array(deflateRawSync(bytes));

const parsers: readonly Parser[] = [
  [
    'npy',
    [
      encodeNpy(Float32Array.of(1, 2, 3, 4), [2, 2]),
      encodeNpy(new BigInt64Array(3)),
      encodeNpy(new Uint8Array(0), [0, 3]),
    ],
    (bytes) => decodeNpy(bytes, 'x.npy'),
  ],
  ['npz', [arrays], (bytes) => decodeNpz(bytes, 'x.npz', inflateRawSync)],
  [
    'inflate',
    [deflated(plain)],
    (bytes) => {
      // A member that is deflated, as numpy.savez_compressed writes it.
      const zip = encodeZip(new Map([['x.npy', bytes]]));
      const view = new DataView(zip.buffer);
      const directory = view.getUint32(zip.length - 6, true);
      view.setUint16(directory + 10, 8, true);
      view.setUint32(directory + 16, crc32(plain), true);
      view.setUint32(directory + 24, plain.length, true);
      return decodeNpz(zip, 'x.npz', inflateRawSync);
    },
  ],
  ['checkpoint', [checkpoint], (bytes) => decodeCheckpoint(bytes, '00000003.npz', inflateRawSync)],
  ofRun('run.json', text(JSON.stringify(runJson)), readRun),
  ofRun('metrics.jsonl', text(rows), (folder) => [
    readRun(folder),
    readSnapshots(folder),
    lossSketch(folder),
  ]),
  ofRun('timing.jsonl', text('{"step":0,"seconds":1,"tax":0.1}\n{"step":1,"seconds":2}\n'), readRun),
  ofRun(
    'events.jsonl',
    text(
      '{"kind":"note","step":0,"level":"info","text":"A."}\n{"kind":"regime","step":1,"regime":"lazy","reasons":["B."]}\n',
    ),
    readRun,
  ),
  ofRun('kernels/00000000.npy', encodeNpy(Float32Array.of(1, 2, 3, 4), [2, 2]), readSnapshots),
  ofRun(
    'sweep.json',
    text(
      JSON.stringify({
        request: { file: 'm.ts', vary: ['a=1'], set: [] },
        total: 1,
        cells: [{ id: 'a=1', status: 'finished' }],
      }),
    ),
    readSweepFile,
  ),
  ofData('csv', text('a,b,y\n1,2,3\n4,5,6\n7,8,9\n"1",2,3\n')),
  ofData('npz', arrays),
  ['architecture', [text(JSON.stringify(architecture))], (bytes) => parseArchitecture(asJson(bytes))],
  [
    'definition',
    [text(JSON.stringify(definition))],
    (bytes) => resolveDefinition(asJson(bytes) as object, 'm.ts'),
  ],
  [
    '--set',
    [text('model.width=4096'), text('model.hidden.1=[1,{"a":2}]'), text('a.b.c.d=x')],
    (bytes) => {
      const { path: field, value } = parseOverride(asText(bytes));
      return applyOverrides({ model: { width: 1, hidden: [4, 4] }, a: { b: {} } }, { [field]: value });
    },
  ],
  ['--vary', [text('seed=0..4'), text('model.width=1,2,[3,4],"a,b"')], (bytes) => expandVary(asText(bytes))],
  [
    '--data',
    [text('mnist:0,1?train=512&test=256'), text('csv:data/wine.csv?target=quality')],
    (bytes) => parseDataSpec(asText(bytes)),
  ],
  [
    'trainer wire',
    [text(JSON.stringify({ v: 1, seq: 0, message: { type: 'run', request: { file: 'm.ts' } } }))],
    (bytes) => told(() => trainerReceiver().open(asJson(bytes))),
  ],
  [
    'host wire',
    [text(JSON.stringify(new Sender().seal({ type: 'error', id: 1, message: 'm', line: 3 })))],
    (bytes) => told(() => hostReceiver().open(asJson(bytes))),
  ],
  [
    'view wire',
    [text(JSON.stringify({ type: 'command', name: 'pause', run: 'r' }))],
    (bytes) => checkViewMessage(asJson(bytes)),
  ],
];

/** What a wire refuses is an Error with a sentence. */
function told(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    throw error instanceof InputError ? error : new FailureError((error as Error).message);
  }
}

/** How a program speaks that did not expect what it was given. */
const slips =
  /is not a function|Cannot (read|set|convert|destructure|mix)|undefined|\[object|not iterable|Invalid (typed array|array|string) length|call stack|BigInt|is not defined|NaN values|out of memory/;

describe.each(parsers)('%s', (name, seeds, parse) => {
  const count = Math.ceil(inputs / parsers.length);

  it(`says in a sentence what is wrong with any of ${count} changed inputs, at once`, () => {
    for (const bytes of seeds)
      expect(() => parse(bytes), 'as it is written').not.toThrow(/^(?!It is not JSON)/);
    let refused = 0;
    const before = process.memoryUsage().rss;
    for (let i = 0; i < count; i++) {
      const random = new Random(seed).fork(`${name}/${i}`);
      const bytes = mutated(seeds[random.integer(seeds.length)], random);
      const which = `input ${i}: ${JSON.stringify(asText(bytes).slice(0, 300))}`;
      const start = performance.now();
      try {
        parse(bytes);
      } catch (error) {
        refused++;
        const { message } = error as Error;
        if (!(error instanceof InputError || error instanceof FailureError || error instanceof RangeError))
          throw new Error(`${which}\n${(error as Error).stack}`);
        if (
          slips.test(message.replace(/"(?:[^"\\]|\\.)*"/g, '')) ||
          !/[.)]$/.test(message) ||
          message.length > 2000
        )
          throw new Error(`${which}\nno sentence: ${message}`);
      }
      // On a busy machine anything may take long; by name it has the machine for itself.
      if (long && performance.now() - start > 1000)
        throw new Error(`${which}\ntook ${performance.now() - start} ms`);
    }
    process.stdout.write(`${name}: ${count} inputs, ${refused} refused\n`);
    expect(process.memoryUsage().rss - before).toBeLessThan(512 * 2 ** 20);
  }, 3_600_000);
});
