/** Dense row-major float64 matrix. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** Length rows * cols; element (i, j) at i * cols + j. */
  readonly data: Float64Array;
}

/** A matrix over `data` (not copied), or of zeros. Throws a RangeError when the length does not fit. */
export function matrix(
  rows: number,
  cols: number,
  data: Float64Array = new Float64Array(rows * cols),
): Matrix {
  if (data.length !== rows * cols)
    throw new RangeError(`${rows} x ${cols} needs ${rows * cols} values, got ${data.length}`);
  return { rows, cols, data };
}

/** A float64 copy of any numeric array in row-major order. */
export function matrixFrom(rows: number, cols: number, values: ArrayLike<number>): Matrix {
  return matrix(rows, cols, Float64Array.from(values));
}
