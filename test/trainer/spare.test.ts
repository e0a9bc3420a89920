import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryAllowsSpare, SpareTrainer } from '../../src/extension/runs/spareTrainer.js';
import { decodeCheckpoint } from '../../src/network/training/loop/checkpointFile.js';
import { TrainerClient } from '../../src/trainer/client.js';
import { temporaryFolder } from '../helpers/folders.js';
import { Trainers, trainerPath } from '../helpers/trainer.js';

/** Layers without names: TensorFlow.js counts them in a process. */
const builder = `import * as tf from '@tensorflow/tfjs';
export const createModel = (): tf.LayersModel =>
  tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [64], units: 16, activation: 'relu' }),
      tf.layers.dense({ units: 1 }),
    ],
  });
`;

const wasm = { backend: 'wasm' } as const;
const minutes = 60_000;

let place: ReturnType<typeof temporaryFolder>;
let trainers: Trainers;
let spares: SpareTrainer[];
beforeEach(() => {
  place = temporaryFolder();
  trainers = new Trainers(place.path);
  spares = [];
});
afterEach(() => {
  for (const spare of spares) spare.dispose();
  trainers.end();
  place.clean();
});

function spareTrainer(idle = minutes): SpareTrainer {
  const spare = new SpareTrainer({ create: () => new TrainerClient({ trainerPath }), idle });
  spares.push(spare);
  return spare;
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A checkpoint without the time that training took and how long that made the file of times. */
function checkpointOf(file: string): string {
  const { time: _, more: lengths, ...rest } = decodeCheckpoint(readFileSync(file), file, inflateRawSync);
  const { timing: __, ...others } = { timing: 0, ...lengths };
  return JSON.stringify({ ...rest, others }, (_key, value) =>
    ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      : value,
  );
}

/** Every file of a run but what names the run, its process and its times. */
function recordsOf(folder: string): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (at: string): void => {
    for (const name of readdirSync(path.join(folder, at))) {
      const file = path.join(at, name);
      if (statSync(path.join(folder, file)).isDirectory()) walk(file);
      else if (name.endsWith('.npz')) out[file] = checkpointOf(path.join(folder, file));
      else if (!['run.json', 'timing.jsonl'].includes(name))
        out[file] = readFileSync(path.join(folder, file)).toString('base64');
    }
  };
  walk('');
  return out;
}

describe('a spare trainer', () => {
  it.each([
    ['an experiment', 'small.ts', {}],
    [
      'a plain builder',
      'builder.ts',
      { exportName: 'createModel', data: 'digits:3,8?train=64&test=16', overrides: { steps: 30 } },
    ],
  ] as const)('records bit by bit what a new one does, for %s', async (_, name, more) => {
    writeFileSync(path.join(place.path, 'builder.ts'), builder);
    const file = name === 'builder.ts' ? path.join(place.path, name) : name;
    const spare = spareTrainer();
    spare.prepare(wasm);
    const ready = await spare.take(wasm);
    if (!ready) throw new Error('There is no spare trainer.');
    try {
      const warm = await trainers.finish(ready, trainers.request(file, more));
      const cold = await trainers.finish(await trainers.start(), trainers.request(file, more));
      expect(warm.ended.status).toBe('finished');
      const records = recordsOf(warm.folder);
      expect(Object.keys(records).length).toBeGreaterThan(3);
      expect(records).toEqual(recordsOf(cold.folder));
    } finally {
      ready.dispose();
    }
  });

  it('is one process, taken once, of the kind that is asked for', async () => {
    const spare = spareTrainer();
    spare.prepare(wasm);
    const { pid } = spare;
    spare.prepare(wasm);
    expect(spare.pid).toBe(pid);
    const taken = await spare.take(wasm);
    expect(taken?.pid).toBe(pid);
    expect(spare.pid).toBeUndefined();
    expect(await spare.take(wasm)).toBeNull();
    if (!taken) return;
    spare.keep(taken, wasm);
    expect(spare.pid).toBe(pid);
    expect(await spare.take({ ...wasm, nodePath: '/elsewhere/node' })).toBeNull();
    await expect.poll(() => alive(pid ?? 0)).toBe(false);
  });

  it('ends when nobody asks for it', async () => {
    const spare = spareTrainer(300);
    spare.prepare(wasm);
    const pid = spare.pid ?? 0;
    expect(alive(pid)).toBe(true);
    await expect.poll(() => alive(pid)).toBe(false);
    expect(spare.pid).toBeUndefined();
    expect(await spare.take(wasm)).toBeNull();
  });

  it('stops when it is asked to, also while it is made ready', async () => {
    const spare = spareTrainer();
    spare.prepare(wasm);
    const ready = await spare.take(wasm);
    if (!ready) throw new Error('There is no spare trainer.');
    const end = trainers.finish(ready, trainers.request('small.ts', { exportName: 'long' }));
    await ready.stop();
    expect((await end).ended.status).toBe('stopped');
    ready.dispose();
  });

  it('waits only where there is room for it', () => {
    const gib = 2 ** 30;
    expect(memoryAllowsSpare(16 * gib, 8 * gib, 'linux')).toBe(true);
    expect(memoryAllowsSpare(16 * gib, 0.5 * gib, 'linux')).toBe(false);
    expect(memoryAllowsSpare(2 * gib, 1.5 * gib, 'linux')).toBe(false);
    // macOS calls free only what nobody has used yet.
    expect(memoryAllowsSpare(16 * gib, 0.2 * gib, 'darwin')).toBe(true);
  });
});
