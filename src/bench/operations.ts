import type { BenchRow } from './rows.js';

/**
 * Floating-point operations (two a multiply-add) of a row's trace kernel by structured derivatives, in its matrix
 * products alone: one forward pass, one backward pass an output, per-sample gradients of convolutions, Gram matrices.
 * Symmetric products count once (half of a full one), and what all outputs share counts once.
 */
export function operationsOf(row: BenchRow): number {
  return row.kind === 'cnn' ? ofConvolutions(row) : ofDense(row);
}

/** N N k: the half of a Gram matrix of N rows of k values that is to be computed. */
const gram = (samples: number, k: number): number => samples * samples * k;

function ofDense({ samples: N, shape: [d], width, hidden, outputs }: BenchRow): number {
  let sum = gram(N, d) + gram(N, width);
  // Behind the last hidden layer the cotangents are slopes times the readout, whose rows share their slopes.
  sum += gram(N, width);
  for (let l = 1; l < hidden; l++) {
    sum += gram(N, width) + gram(N, outputs * width);
    sum += 2 * N * width * width * (1 + outputs);
  }
  return sum + 2 * N * d * width;
}

const taps = 9;

function ofConvolutions({ samples: N, shape, width, hidden, outputs }: BenchRow): number {
  const [height, across, channels] = shape;
  // One convolution, or its gradient with respect to its input or its weights, of one output.
  const once = (from: number) => 2 * N * height * across * taps * from * width;
  let sum = gram(N, width);
  for (let l = 0; l < hidden; l++) {
    const from = l === 0 ? channels : width;
    const last = l === hidden - 1;
    sum += once(from);
    // Average pooling gives the last convolution slopes that all outputs share.
    sum += (last ? 1 : outputs) * once(from) + gram(N, (last ? 1 : outputs) * taps * from * width);
    if (l > 0) sum += outputs * once(from);
  }
  return sum;
}
