/** Eigenvalues of float32 Gram matrices below this share of the largest one are rounding noise. */
export const float32Noise = 1e-6;

/**
 * The value below which eigenvalues of a kernel are rounding noise: `share` of the largest one, 1e-6 for a Gram matrix
 * computed in float32, about n * 2.2e-16 for one in float64.
 */
export function noiseFloor(values: ArrayLike<number>, share = float32Noise): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
  return share * largest;
}

/**
 * lambda_max / lambda_min of a positive semidefinite matrix from its eigenvalues, Infinity when the smallest one is not
 * above `floor` (default 0), NaN when there is none.
 */
export function conditionNumber(values: ArrayLike<number>, floor = 0): number {
  if (values.length === 0) return Number.NaN;
  let largest = -Infinity;
  let smallest = Infinity;
  for (let i = 0; i < values.length; i++) {
    largest = Math.max(largest, values[i]);
    smallest = Math.min(smallest, values[i]);
  }
  return smallest > floor ? largest / smallest : Number.POSITIVE_INFINITY;
}

/**
 * exp of the entropy of p_k = lambda_k / sum lambda (Roy and Vetterli 2007): n for the identity, 1 for rank one. Values
 * that are not positive count as 0; 0 for the zero matrix.
 */
export function effectiveRank(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += Math.max(0, values[i]);
  if (!(total > 0)) return 0;
  let entropy = 0;
  for (let i = 0; i < values.length; i++) {
    const p = values[i] / total;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return Math.exp(entropy);
}

/** (sum lambda)^2 / sum lambda^2, the participation ratio of the spectrum. 0 for the zero matrix. */
export function participationRatio(values: ArrayLike<number>): number {
  let s = 0;
  let q = 0;
  for (let i = 0; i < values.length; i++) {
    const x = Math.abs(values[i]);
    s += x;
    q += x * x;
  }
  return q > 0 ? (s * s) / q : 0;
}
