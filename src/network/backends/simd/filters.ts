/** Channels as products take them. */
export const padded = (channels: number): number => 8 * Math.ceil(channels / 8);

/**
 * Filters [3, 3, from, to] transformed for Winograd's products, G h G^T (Lavin and Gray 2016): sixteen matrices of padded
 * channels [from, to], each in panels of eight columns. With `turned` those that take cotangents back: the window upside down, [to, from].
 */
export function transformedFilters(
  values: ArrayLike<number>,
  from: number,
  to: number,
  turned: boolean,
): Float32Array {
  const [rows, columns] = turned ? [padded(to), padded(from)] : [padded(from), padded(to)];
  const size = rows * columns;
  const out = new Float32Array(16 * size);
  const h = new Float64Array(9);
  const half = new Float64Array(12);
  for (let a = 0; a < from; a++)
    for (let b = 0; b < to; b++) {
      for (let t = 0; t < 9; t++) h[turned ? 8 - t : t] = values[(t * from + a) * to + b];
      // G h: rows h0, (h0 + h1 + h2) / 2, (h0 - h1 + h2) / 2, h2.
      for (let j = 0; j < 3; j++) {
        const [h0, h1, h2] = [h[j], h[3 + j], h[6 + j]];
        half[j] = h0;
        half[3 + j] = (h0 + h1 + h2) / 2;
        half[6 + j] = (h0 - h1 + h2) / 2;
        half[9 + j] = h2;
      }
      const [row, column] = turned ? [b, a] : [a, b];
      const at = (column >> 3) * 8 * rows + 8 * row + (column & 7);
      for (let i = 0; i < 4; i++) {
        const [g0, g1, g2] = [half[3 * i], half[3 * i + 1], half[3 * i + 2]];
        out[4 * i * size + at] = g0;
        out[(4 * i + 1) * size + at] = (g0 + g1 + g2) / 2;
        out[(4 * i + 2) * size + at] = (g0 - g1 + g2) / 2;
        out[(4 * i + 3) * size + at] = g2;
      }
    }
  return out;
}
