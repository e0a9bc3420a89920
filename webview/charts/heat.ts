import { diverging, sequential } from './colors.js';

/** Values as colours: from `low` to `high`, around zero when there are negative ones. */
export interface ColorScale {
  readonly low: number;
  readonly high: number;
  readonly colors: Uint8ClampedArray;
}

/** Share of values that are shown without clipping: single huge entries must not darken all the others. */
const unclipped = 0.995;

export function colorScale(values: ArrayLike<number>): ColorScale {
  const sizes = Float64Array.from(values, Math.abs).sort();
  const reach = sizes[Math.floor(unclipped * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
  let low = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i++) if (values[i] < low) low = values[i];
  // A trace of rounding below zero is no sign.
  return low < -0.02 * reach
    ? { low: -reach, high: reach, colors: diverging }
    : { low: Math.max(0, Math.min(low, 0.5 * reach)), high: reach, colors: sequential };
}

/** Paints `value(row, column)` as one pixel each; the style sheet stretches the canvas. */
export function paintHeat(
  canvas: HTMLCanvasElement,
  rows: number,
  columns: number,
  value: (row: number, column: number) => number,
  { low, high, colors }: ColorScale,
): void {
  const image = new ImageData(columns, rows);
  const target = new Uint32Array(image.data.buffer);
  const table = new Uint32Array(colors.buffer);
  const scale = 255 / (high - low || 1);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      target[i * columns + j] = table[Math.max(0, Math.min(255, Math.round((value(i, j) - low) * scale)))];
  if (canvas.width !== columns || canvas.height !== rows) {
    canvas.width = columns;
    canvas.height = rows;
  }
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}
