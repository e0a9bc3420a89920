/** |a - b|^2, in float64. A product, because engines compile a power to a call. */
export function squaredDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) {
    const d = a[i] - b[i];
    sum += d * d;
  }
  return sum;
}

/** |a - b| of every column of matrices [rows, columns] that lie row by row. */
export function columnDistances(a: ArrayLike<number>, b: ArrayLike<number>, columns: number): Float32Array {
  const sums = new Float64Array(columns);
  for (let row = 0; row < b.length; row += columns)
    for (let j = 0; j < columns; j++) {
      const d = a[row + j] - b[row + j];
      sums[j] += d * d;
    }
  return Float32Array.from(sums, Math.sqrt);
}
