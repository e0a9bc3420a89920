import { type Matrix, matrix } from '../linalg/matrix.js';
import type { Random } from '../random.js';

/**
 * The targets Y [n, c] with the rows of a random `share` (0 to 1) of the samples put into a random order among themselves:
 * the same values, but less and less to do with the inputs.
 */
export function shuffleLabels(y: Matrix, share: number, random: Random): Matrix {
  const chosen = random.permutation(y.rows).slice(0, Math.round(share * y.rows));
  const order = random.permutation(chosen.length);
  const out = matrix(y.rows, y.cols, y.data.slice());
  for (let k = 0; k < chosen.length; k++) {
    const from = chosen[order[k]] * y.cols;
    out.data.set(y.data.subarray(from, from + y.cols), chosen[k] * y.cols);
  }
  return out;
}
