/** Values on a regular grid, row by row. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly values: ArrayLike<number>;
}

/**
 * Line pieces of one level by marching squares, [x0, y0, x1, y1] each, in units of the grid (columns to the right, rows
 * down). Cells with a value that is not finite are passed over.
 */
export function contour({ columns, rows, values }: Grid, level: number): number[] {
  const out: number[] = [];
  for (let i = 0; i + 1 < rows; i++)
    for (let j = 0; j + 1 < columns; j++) {
      const at = i * columns + j;
      const corners = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      if (!corners.every(Number.isFinite)) continue;
      const places = [
        [j, i],
        [j + 1, i],
        [j + 1, i + 1],
        [j, i + 1],
      ];
      const found: number[] = [];
      for (let c = 0; c < 4; c++) {
        const [a, b] = [corners[c], corners[(c + 1) % 4]];
        if (a < level === b < level) continue;
        const share = (level - a) / (b - a);
        const [[x0, y0], [x1, y1]] = [places[c], places[(c + 1) % 4]];
        found.push(x0 + share * (x1 - x0), y0 + share * (y1 - y0));
      }
      out.push(...found.slice(0, 4));
      if (found.length === 8) out.push(...found.slice(4));
    }
  return out;
}
