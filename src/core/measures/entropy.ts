import type { Matrix } from '../linalg/matrix.js';
import { digamma, logGamma } from '../stats/special.js';

/**
 * Differential entropy, in nats, of the density that the rows of `points` [m, d] are drawn from, by distances to the
 * k-th nearest neighbour (Kozachenko and Leonenko 1987): psi(m) - psi(k) + log c_d + (d/m) sum log r_i, c_d the volume of
 * the unit ball. -Infinity when more than k points coincide. Quadratic in m. Throws a RangeError unless 1 <= k < m.
 */
export function nearestNeighbourEntropy(points: Matrix, k = 3): number {
  const { rows: m, cols: d, data } = points;
  if (!(k >= 1 && k < m))
    throw new RangeError(`The entropy of ${m} points needs a neighbour between 1 and ${m - 1}, not ${k}.`);
  const nearest = new Float64Array(k);
  let logs = 0;
  for (let i = 0; i < m; i++) {
    nearest.fill(Number.POSITIVE_INFINITY);
    for (let j = 0; j < m; j++) {
      if (i === j) continue;
      let s = 0;
      for (let c = 0; c < d; c++) s += (data[i * d + c] - data[j * d + c]) ** 2;
      if (s >= nearest[k - 1]) continue;
      let at = k - 1;
      for (; at > 0 && nearest[at - 1] > s; at--) nearest[at] = nearest[at - 1];
      nearest[at] = s;
    }
    logs += 0.5 * Math.log(nearest[k - 1]);
  }
  const ball = (d / 2) * Math.log(Math.PI) - logGamma(d / 2 + 1);
  return digamma(m) - digamma(k) + ball + (d / m) * logs;
}

/**
 * Free energy of a distribution of neurons (Mei, Montanari and Nguyen 2018): regularised loss minus temperature times
 * entropy. Noisy gradient descent lowers it.
 */
export function freeEnergy(regularisedLoss: number, temperature: number, entropy: number): number {
  return temperature === 0 ? regularisedLoss : regularisedLoss - temperature * entropy;
}
