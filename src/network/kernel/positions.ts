/** Whether the sum over pairs of positions costs less than per-sample gradients [k, m], or these would be too large. */
export function keepsPositions(n: number, outputs: number, positions: number, k: number, m: number): boolean {
  const byGradients = 2 * n * outputs * k * m * (positions + n);
  const byPairs = 2 * n * n * positions * positions * (k + outputs * m);
  return n * outputs * k * m > 2 ** 28 || byPairs < byGradients;
}
