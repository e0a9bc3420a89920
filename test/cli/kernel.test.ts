import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy, encodeNpy, toFloat64 } from '../../src/core/npy.js';
import { decodeNpz, encodeNpz } from '../../src/core/npz.js';
import { cli } from '../helpers/cli.js';
import { golden, model, readJson, temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
});
afterAll(() => place.clean());

const npy = (file: string) => decodeNpy(readFileSync(file), file);
const values = (file: string) => toFloat64(npy(file));

function relativeGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let top = 0;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    top = Math.max(top, Math.abs(a[i] - b[i]));
    largest = Math.max(largest, Math.abs(b[i]));
  }
  return top / largest;
}

/** Full kernels are stored [N, M, O, O]; ours are [N O, M O]. */
function flattened(file: string): Float64Array {
  const { shape } = npy(file);
  const stored = values(file);
  const [n, m, o] = shape;
  const out = new Float64Array(stored.length);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      for (let a = 0; a < o; a++)
        for (let b = 0; b < o; b++)
          out[(i * o + a) * m * o + j * o + b] = stored[((i * m + j) * o + a) * o + b];
  return out;
}

describe.each([
  ['tanh2', 'tanh2.ts'],
  ['conv_gap', 'convGap.mjs'],
])('kernelscope kernel against the golden values of %s', (name, file) => {
  let weights: string;
  beforeAll(() => {
    const { param_order } = readJson<{ param_order: string[] }>(golden('empirical', `${name}.json`));
    const entries = Object.fromEntries(
      param_order.map((parameter, i) => {
        const array = npy(golden('empirical', name, `${parameter.replace('/', '__')}.npy`));
        return [String(i), { data: Float32Array.from(toFloat64(array)), shape: array.shape }];
      }),
    );
    weights = path.join(place.path, `${name}.npz`);
    writeFileSync(weights, encodeNpz(entries));
  });
  const x = golden('empirical', name, 'X.npy');
  const x2 = golden('empirical', name, 'X2.npy');

  it.each([
    ['trace', [], 'ntk_trace_XX.npy'],
    ['full', [], 'ntk_full_XX.npy'],
    ['trace', ['--probe2', x], 'ntk_trace_X2X.npy'],
    ['full', ['--probe2', x], 'ntk_full_X2X.npy'],
  ])('%s %s', (mode, more, expected) => {
    const out = path.join(place.path, 'k.npy');
    const probe = more.length > 0 ? x2 : x;
    const result = cli([
      'kernel',
      model(file),
      '--weights',
      weights,
      '--probe',
      probe,
      ...more,
      '--mode',
      mode,
      '--out',
      out,
    ]);
    expect(result.stderr).toBe('');
    expect(result.code).toBe(0);
    const wanted = golden('empirical', name, expected);
    const reference = mode === 'full' ? flattened(wanted) : values(wanted);
    expect(npy(out).type).toBe('f4');
    expect(relativeGap(values(out), reference)).toBeLessThan(2e-6);
  });

  it('per layer adds up to the total', () => {
    const out = path.join(place.path, 'parts.npz');
    expect(
      cli(['kernel', model(file), '--weights', weights, '--probe', x, '--per-layer', '--out', out]).code,
    ).toBe(0);
    const parts = decodeNpz(readFileSync(out), out, (bytes) => inflateRawSync(bytes));
    const total = toFloat64(parts.get('total') as never);
    const sum = new Float64Array(total.length);
    for (const [layer, array] of parts)
      if (layer !== 'total')
        toFloat64(array).forEach((v, i) => {
          sum[i] += v;
        });
    expect(relativeGap(sum, total)).toBeLessThan(1e-6);
    expect(relativeGap(total, values(golden('empirical', name, 'ntk_trace_XX.npy')))).toBeLessThan(2e-6);
  });
});

describe('kernelscope kernel', () => {
  const probe = () => {
    const file = path.join(place.path, 'x.npy');
    writeFileSync(
      file,
      encodeNpy(
        Float32Array.from({ length: 15 }, (_, i) => Math.sin(i)),
        [3, 5],
      ),
    );
    return file;
  };

  it('is the same for the same seed and another for another', () => {
    const kernel = (seed: string) => {
      const out = path.join(place.path, 'seeded.npy');
      expect(cli(['kernel', model('tanh2.ts'), '--probe', probe(), '--seed', seed, '--out', out]).code).toBe(
        0,
      );
      return [...values(out)];
    };
    expect(kernel('1')).toEqual(kernel('1'));
    expect(kernel('1')).not.toEqual(kernel('2'));
  });

  it('takes the probe inputs of an experiment', () => {
    const out = path.join(place.path, 'own.npy');
    expect(cli(['kernel', model('small.ts'), '--out', out]).code).toBe(0);
    expect(npy(out).shape).toEqual([24, 24]);
  });

  it.each([
    ['a missing file', ['nowhere.ts'], /does not exist/],
    ['inputs of another shape', [model('convGap.mjs')], /\[5\].*\[6, 6, 2\]/],
    ['a wrong mode', [model('tanh2.ts'), '--mode', 'half'], /trace or full/],
    ['too few weights', [model('tanh2.ts'), '--weights', 'w.npz'], /has no array "1"/],
  ])('refuses %s with exit code 2', (_what, args, text) => {
    const folder = path.join(place.path, 'bad');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'w.npz'),
      encodeNpz({ '0': { data: new Float32Array(80), shape: [5, 16] } }),
    );
    const result = cli(['kernel', ...args, '--probe', probe(), '--out', 'k.npy'], folder);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(text);
    expect(result.stderr).not.toMatch(/at .*\.js:\d+/);
  });
});
