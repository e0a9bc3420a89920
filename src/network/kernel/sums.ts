/** Where a panel of rows stands in a matrix of `cols` columns: its upper left entry and its number of rows. */
export interface Place {
  readonly row: number;
  readonly column: number;
  readonly rows: number;
  readonly cols: number;
  /** Only what lies on and above the panel's diagonal is wanted. */
  readonly symmetric: boolean;
}

/** Adds factor (a + shift) o d to a panel in one pass, where the backend's operations would take one each. */
export function addTerm(
  target: Float32Array,
  { row, column, rows, cols, symmetric }: Place,
  a: Float32Array,
  d: Float32Array | null,
  factor: number,
  shift: number,
): void {
  const width = cols - column;
  for (let r = 0; r < rows; r++) {
    const to = (row + r) * cols + column;
    const from = r * width;
    const first = symmetric ? r : 0;
    if (d) for (let c = first; c < width; c++) target[to + c] += factor * (a[from + c] + shift) * d[from + c];
    else for (let c = first; c < width; c++) target[to + c] += factor * (a[from + c] + shift);
  }
}

/** Copies the upper triangle of a square matrix to the lower one, in tiles that stay in the cache. */
export function mirror(target: Float32Array, n: number): void {
  const tile = 32;
  for (let i0 = 0; i0 < n; i0 += tile)
    for (let j0 = 0; j0 <= i0; j0 += tile)
      for (let i = i0; i < Math.min(n, i0 + tile); i++)
        for (let j = j0; j < Math.min(i, j0 + tile); j++) target[i * n + j] = target[j * n + i];
}
