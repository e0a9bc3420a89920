import { beforeAll, describe, expect, it } from 'vitest';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { seedModel } from '../../src/network/models/seeding.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

const conv = (filters: number, more: object = {}) =>
  tf.layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu', ...more } as never);
const mean = () => tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' });
const dense = (units: number) => tf.layers.dense({ units });

/** Networks in which runs of convolutions begin and end in every way; the first layer gets the shape of the images. */
const networks: readonly (readonly [string, readonly number[], (first: object) => tf.layers.Layer[]])[] = [
  ['three of them under a mean', [20, 20, 1], (f) => [conv(16, f), conv(16), conv(16), mean(), dense(4)]],
  ['odd sizes and channels', [19, 23, 3], (f) => [conv(12, f), conv(20), conv(9), mean(), dense(3)]],
  [
    'valid padding, tanh, no bias',
    [17, 16, 2],
    (f) => {
      const own = { activation: 'tanh', padding: 'valid', useBias: false };
      return [conv(16, { ...f, ...own }), conv(24, own), conv(16, own), mean(), dense(3)];
    },
  ],
  ['dense layers on top', [12, 12, 1], (f) => [conv(16, f), conv(16), tf.layers.flatten(), dense(3)]],
  [
    'a pool between',
    [20, 20, 1],
    (f) => [
      conv(16, f),
      conv(16),
      tf.layers.averagePooling2d({ poolSize: 2 }),
      conv(24),
      conv(16),
      mean(),
      dense(3),
    ],
  ],
  [
    'strides and larger windows',
    [24, 24, 2],
    (f) => [
      conv(16, { ...f, kernelSize: 5, strides: 2 }),
      conv(16),
      conv(16, { strides: 2 }),
      mean(),
      dense(3),
    ],
  ],
  [
    'a frozen one in the middle',
    [18, 18, 1],
    (f) => [conv(16, f), conv(16, { trainable: false }), conv(16), mean(), dense(3)],
  ],
  [
    'a frozen one first',
    [18, 18, 8],
    (f) => [conv(16, { ...f, trainable: false }), conv(16), conv(16), mean(), dense(3)],
  ],
  ['linear ones', [18, 18, 8], (f) => [conv(16, { ...f, activation: 'linear' }), conv(16), mean(), dense(3)]],
  ['one output', [18, 18, 1], (f) => [conv(16, f), conv(16), conv(16), mean(), dense(1)]],
];

describe.each(backendsUnderTest)('kernels of convolutional networks on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  // The full kernel goes another way: by the backend's own operations, with a row for every output.
  it.each(networks)('are the trace of the full kernel: %s', async (_name, shape, layersOf) => {
    const model = tf.sequential({ layers: layersOf({ inputShape: [...shape] }) });
    seedModel(model, 5);
    const n = 21;
    const x = tf.randomNormal([n, ...shape], 0, 1, 'float32', 3);
    const before = tf.memory().numTensors;
    const full = await empiricalKernel(model, x, { mode: 'full', perLayer: true });
    const trace = await empiricalKernel(model, x, { perLayer: true });
    const few = tf.slice(x, [4, ...shape.map(() => 0)], [7, ...shape]);
    const rectangle = await empiricalKernel(model, x, { against: few });
    few.dispose();
    expect(tf.memory().numTensors).toBe(before);
    const outputs = full.outputs;
    const traceOf = (whole: Float32Array, i: number, j: number): number => {
      let sum = 0;
      for (let o = 0; o < outputs; o++) sum += whole[(i * outputs + o) * n * outputs + j * outputs + o];
      return sum / outputs;
    };
    const compare = (mine: Float32Array, whole: Float32Array, m: number, from: number) => {
      let [worst, largest] = [0, 0];
      for (let i = 0; i < n; i++)
        for (let j = 0; j < m; j++) {
          const truth = traceOf(whole, i, j + from);
          worst = Math.max(worst, Math.abs(mine[i * m + j] - truth));
          largest = Math.max(largest, Math.abs(truth));
        }
      expect(worst / largest).toBeLessThan(3e-6);
    };
    compare(trace.data, full.data, n, 0);
    compare(rectangle.data, full.data, 7, 4);
    for (const [layer, values] of Object.entries(trace.perLayer ?? {}))
      compare(values, full.perLayer?.[layer] as Float32Array, n, 0);
    model.dispose();
    x.dispose();
  });
});
