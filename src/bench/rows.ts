import { buildModel } from '../network/models/build.js';
import { seedModel } from '../network/models/seeding.js';
import * as tf from '../network/tf.js';

/** One shape on which kernels are timed: `samples` inputs of `shape`, `hidden` layers of `width`, then `outputs`. */
export interface BenchRow {
  readonly name: string;
  readonly kind: 'mlp' | 'cnn';
  readonly samples: number;
  /** [d], or [height, width, channels]. */
  readonly shape: readonly number[];
  readonly width: number;
  readonly hidden: number;
  readonly outputs: number;
  readonly activation: 'relu' | 'tanh';
  readonly bias: boolean;
}

const mlp = (name: string, samples: number, d: number, width: number, hidden: number, outputs: number) => ({
  name,
  kind: 'mlp' as const,
  samples,
  shape: [d],
  width,
  hidden,
  outputs,
  activation: 'relu' as const,
  bias: true,
});
const twoLayer = (name: string, samples: number, d: number, width: number) => ({
  ...mlp(name, samples, d, width, 1, 1),
  activation: 'tanh' as const,
  bias: false,
});
const cnn = (name: string, outputs: number): BenchRow => ({
  ...mlp(name, 64, 0, 32, 3, outputs),
  kind: 'cnn',
  shape: [28, 28, 1],
});

/** Trace kernels (mean over outputs); F1 is F with one output. */
export const benchRows: readonly BenchRow[] = [
  mlp('A', 256, 784, 512, 2, 1),
  mlp('B', 256, 784, 2048, 2, 10),
  mlp('C', 1024, 784, 1024, 3, 1),
  twoLayer('D', 256, 784, 1024),
  twoLayer('E', 128, 10, 4096),
  cnn('F', 10),
  cnn('F1', 1),
];

export function describeRow(row: BenchRow): string {
  const outputs = row.outputs === 1 ? 'one output' : `${row.outputs} outputs`;
  const layers =
    row.kind === 'cnn'
      ? `${row.hidden} convolutions of ${row.width} filters`
      : row.hidden === 1
        ? `two layers, width ${row.width}`
        : `${row.hidden} hidden layers of ${row.width}`;
  return `${row.samples} inputs of ${row.shape.join(' x ')}, ${layers}, ${row.activation}, ${outputs}`;
}

/** The network of a row, with weights. */
export function modelOf(row: BenchRow): tf.LayersModel {
  if (row.kind === 'cnn') {
    const convolution = (first: boolean) =>
      tf.layers.conv2d({
        filters: row.width,
        kernelSize: 3,
        padding: 'same',
        activation: 'relu',
        ...(first ? { inputShape: [...row.shape] } : {}),
      });
    const layers = Array.from({ length: row.hidden }, (_, i) => convolution(i === 0) as tf.layers.Layer);
    const model = tf.sequential({
      layers: [
        ...layers,
        tf.layers.globalAveragePooling2d({ dataFormat: 'channelsLast' }),
        tf.layers.dense({ units: row.outputs }),
      ],
    });
    seedModel(model, 1);
    return model;
  }
  const common = { activation: row.activation, bias: row.bias, init: 'gaussian', train: 'all' } as const;
  const context = { inputShape: row.shape, outputs: row.outputs, seed: 1 };
  return row.hidden === 1
    ? buildModel(
        { kind: 'twoLayer', width: row.width, scale: 'ntk', thetaStart: 'inverse-dimension', ...common },
        context,
      ).model
    : buildModel(
        {
          kind: 'mlp',
          hidden: Array.from({ length: row.hidden }, () => row.width),
          parameterization: 'ntk',
          sigmaW: Math.SQRT2,
          sigmaB: 0.1,
          ...common,
        },
        context,
      ).model;
}
