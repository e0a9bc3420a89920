/** What becomes of values that are missing. */
export type MissingChoice = 'drop' | 'mean';

/** Rows [size] that hold NaN among their `width` values. */
export function rowsWithGaps(x: Float64Array, size: number, width: number): Uint8Array {
  const gaps = new Uint8Array(size);
  for (let i = 0; i < size; i++)
    for (let k = i * width; k < (i + 1) * width; k++) if (Number.isNaN(x[k])) gaps[i] = 1;
  return gaps;
}

/** Puts the mean of its column in the place of every NaN of [size, width]; returns how many there were. */
export function fillWithMeans(x: Float64Array, size: number, width: number): number {
  let filled = 0;
  for (let k = 0; k < width; k++) {
    let sum = 0;
    let count = 0;
    for (let i = 0; i < size; i++) {
      const value = x[i * width + k];
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    if (count === size) continue;
    for (let i = 0; i < size; i++)
      if (Number.isNaN(x[i * width + k])) x[i * width + k] = sum / Math.max(1, count);
    filled += size - count;
  }
  return filled;
}

/** The rows of [size, width] that `keep` marks. */
export function keptRows(values: Float64Array, width: number, keep: readonly number[]): Float64Array {
  const out = new Float64Array(keep.length * width);
  for (const [k, i] of keep.entries()) out.set(values.subarray(i * width, (i + 1) * width), k * width);
  return out;
}
