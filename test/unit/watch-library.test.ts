import path from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { explicitJacobian } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { readRun, readSnapshots, sendWord } from '../../src/runs/index.js';
import { watch } from '../../src/watch/library.js';
import { temporaryFolder } from '../helpers/folders.js';

const { path: runs, clean } = temporaryFolder();
afterAll(clean);
beforeAll(() => tf.setBackend('cpu'));

let state = 1;
beforeEach(() => {
  state = 7;
  vi.spyOn(Math, 'random').mockImplementation(() => {
    state = (state * 16807) % 2147483647;
    return state / 2147483647;
  });
});

function problem() {
  const model = tf.sequential({
    layers: [
      tf.layers.dense({ units: 8, activation: 'tanh', inputShape: [3] }),
      tf.layers.dense({ units: 2 }),
    ],
  });
  const x = tf.randomNormal([24, 3], 0, 1, 'float32', 3);
  const y = tf.concat([tf.sum(x, 1, true), tf.max(x, 1, true)], 1);
  return { model, x, y };
}

const weights = (model: tf.LayersModel): number[][] =>
  model.getWeights().map((w) => Array.from(w.dataSync()));

describe('watching a training of one’s own', () => {
  it('records fit by a callback, and changes none of its numbers', async () => {
    const train = async (watched: boolean) => {
      state = 7;
      const { model, x, y } = problem();
      model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError', metrics: ['mse'] });
      const scope = watched ? watch(model, { probe: x, targets: y, runs, name: 'mine' }) : null;
      const { history } = await model.fit(x, y, {
        epochs: 6,
        batchSize: 8,
        verbose: 0,
        validationData: [x, y],
        ...(scope ? { callbacks: scope.callback() } : {}),
      });
      scope?.end();
      return { weights: weights(model), history, next: state, folder: scope?.folder ?? '' };
    };
    const plain = await train(false);
    const { folder, ...seen } = await train(true);
    expect({ ...seen, folder: '' }).toEqual(plain);
    const { run, metrics } = readRun(folder);
    expect(run).toMatchObject({ kind: 'watched', status: 'finished', info: { parameters: 50 } });
    expect(path.basename(run.info.source.file)).toBe('watch-library.test.ts');
    expect(metrics.step.at(-1)).toBe(18);
    expect(metrics.columns['testLoss'].filter(Number.isFinite).length).toBeGreaterThan(3);
    expect(metrics.columns['metric.mse'].filter(Number.isFinite).length).toBeGreaterThan(3);
    expect(readSnapshots(folder, ['energy']).length).toBeGreaterThan(1);
  });

  it('records a loop of one’s own, with the kernel of the explicit Jacobian', async () => {
    const { model, x, y } = problem();
    const J = explicitJacobian(model, x, [0, 1]);
    const full = tf.matMul(J, J, false, true).arraySync() as number[][];
    const optimizer = tf.train.adam(0.01);
    const scope = watch(model, { probe: x, runs });
    for (let i = 0; i < 5; i++) {
      const before = tf.memory().numTensors;
      const loss = optimizer.minimize(
        () => tf.losses.meanSquaredError(y, model.apply(x) as tf.Tensor) as tf.Scalar,
        true,
      ) as tf.Scalar;
      expect(await scope.step({ loss })).toBe(true);
      loss.dispose();
      // The optimizer makes its own at the first step.
      if (i > 0) expect(tf.memory().numTensors).toBe(before);
    }
    scope.end();
    const [kernel] = readSnapshots(scope.folder, ['kernel']);
    expect(kernel.step).toBe(0);
    expect(kernel.data.length).toBe(24 * 24);
    // Of the weights that the scope was made with.
    for (let i = 0; i < 24; i++)
      for (let j = 0; j < 24; j++) {
        const wanted = (full[2 * i][2 * j] + full[2 * i + 1][2 * j + 1]) / 2;
        expect(Math.abs(kernel.data[24 * i + j] - wanted)).toBeLessThan(2e-5 * (1 + Math.abs(wanted)));
      }
    expect(readRun(scope.folder).metrics.columns['loss'].filter(Number.isFinite)).toHaveLength(5);
  });

  it('keeps models apart', async () => {
    const scopes = [0, 1].map(() => {
      const { model, x } = problem();
      return watch(model, { probe: x, runs });
    });
    await scopes[0].step({ loss: 1 });
    await scopes[1].step({ loss: 2 });
    for (const [i, scope] of scopes.entries()) {
      scope.end();
      expect(readRun(scope.folder).metrics.columns['loss'].at(-1)).toBe(i + 1);
    }
  });

  it('says when it is asked to stop', async () => {
    const { model } = problem();
    const scope = watch(model, { runs });
    let steps = 0;
    while (await scope.step({ loss: 1 })) {
      if (++steps === 1) await sendWord(scope.folder, 'stop').catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (steps > 5) await sendWord(scope.folder, 'stop').catch(() => undefined);
      if (steps > 400) throw new Error('it does not stop');
    }
    scope.end();
    expect(readRun(scope.folder).run.status).toBe('stopped');
  });

  it('refuses what cannot be watched', () => {
    const { model, x } = problem();
    expect(() => watch(model, { probe: tf.zeros([4, 7]), runs })).toThrow(
      'The probe has inputs of shape [4, 7], but the model takes [any, 3].',
    );
    for (const layer of model.layers) layer.trainable = false;
    expect(() => watch(model, { probe: x, runs })).toThrow('has no weights that train');
  });
});
