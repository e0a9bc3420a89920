/** Rows on the two directions of their largest variance. */
export interface Projection {
  /** [n, 2]. */
  readonly scores: Float64Array;
  /** Shares of the variance along both. */
  readonly shares: readonly [number, number];
}

/**
 * Principal coordinates of a few long rows: the top two eigenvectors of the centred Gram matrix by power iteration. Null
 * when there are fewer than three rows or they are all equal.
 */
export function principalPlane(rows: readonly ArrayLike<number>[]): Projection | null {
  const n = rows.length;
  if (n < 3) return null;
  const size = rows[0].length;
  const mean = new Float64Array(size);
  for (const row of rows) for (let i = 0; i < size; i++) mean[i] += row[i] / n;
  const gram = new Float64Array(n * n);
  let total = 0;
  const power = n * mean.reduce((sum, v) => sum + v * v, 0);
  for (let a = 0; a < n; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let i = 0; i < size; i++) sum += (rows[a][i] - mean[i]) * (rows[b][i] - mean[i]);
      gram[a * n + b] = gram[b * n + a] = sum;
      if (a === b) total += sum;
    }
  // Less than rounding leaves of equal rows.
  if (!(total > 1e-24 * power)) return null;
  const scores = new Float64Array(2 * n);
  const shares: [number, number] = [0, 0];
  for (let axis = 0; axis < 2; axis++) {
    const { value, vector } = topOf(gram, n);
    shares[axis] = value / total;
    for (let a = 0; a < n; a++) {
      scores[2 * a + axis] = Math.sqrt(Math.max(0, value)) * vector[a];
      for (let b = 0; b < n; b++) gram[a * n + b] -= value * vector[a] * vector[b];
    }
  }
  return { scores, shares };
}

/** Largest eigenvalue of a symmetric positive semi-definite matrix and its unit vector, first entry not negative. */
function topOf(matrix: Float64Array, n: number): { value: number; vector: Float64Array } {
  let vector = Float64Array.from({ length: n }, (_, i) => 1 + Math.sin(i + 1));
  let value = 0;
  for (let round = 0; round < 300; round++) {
    const next = new Float64Array(n);
    for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) next[a] += matrix[a * n + b] * vector[b];
    const norm = Math.hypot(...next);
    if (!(norm > 0)) return { value: 0, vector: new Float64Array(n) };
    for (let a = 0; a < n; a++) next[a] /= norm;
    const settled = Math.abs(norm - value) < 1e-12 * norm;
    vector = next;
    value = norm;
    if (settled) break;
  }
  if (vector[0] < 0) vector = vector.map((v) => -v);
  return { value, vector };
}
