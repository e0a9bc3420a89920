import { spectral } from '../linalg/eigen.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import { gram, matmul, transpose } from '../linalg/ops.js';

export interface Principal {
  /** [d] column means that were subtracted. */
  readonly mean: Float64Array;
  /** [k, d] unit directions of the largest variances. */
  readonly components: Matrix;
  /** [n, k] coordinates of the centred rows. */
  readonly scores: Matrix;
  /** [k] variances along the components (divided by n). */
  readonly variances: Float64Array;
  /** Sum of all variances. */
  readonly total: number;
}

/**
 * Principal components of the rows of x [n, d], by the smaller of covariance and Gram matrix. At most min(k, n, d)
 * components; those without variance have zero scores.
 */
export function principalComponents(x: Matrix, k: number): Principal {
  const { rows: n, cols: d } = x;
  const count = Math.min(k, n, d);
  const mean = new Float64Array(d);
  for (let i = 0; i < n; i++) for (let j = 0; j < d; j++) mean[j] += x.data[i * d + j] / n;
  const centred = matrix(n, d);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < d; j++) centred.data[i * d + j] = x.data[i * d + j] - mean[j];
  const wide = d > n;
  const products = gram(wide ? centred : transpose(centred));
  for (let i = 0; i < products.data.length; i++) products.data[i] /= Math.max(1, n);
  const { values, vectors } = spectral(products, undefined, { topVectors: count });
  const components = wide ? matmul(vectors, centred) : vectors;
  if (wide)
    for (let c = 0; c < count; c++) {
      const row = components.data.subarray(c * d, (c + 1) * d);
      let norm = 0;
      for (const value of row) norm += value * value;
      norm = Math.sqrt(norm);
      for (let j = 0; j < d; j++) row[j] = norm > 0 ? row[j] / norm : 0;
    }
  let total = 0;
  for (const value of values) total += Math.max(0, value);
  return {
    mean,
    components,
    scores: matmul(centred, transpose(components)),
    variances: values.slice(0, count).map((value) => Math.max(0, value)),
    total,
  };
}
