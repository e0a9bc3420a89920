/** How a line is drawn; tells lines apart where colours do not. */
export type Stroke = 'solid' | 'dashed' | 'dotted' | 'dashdot';

export const strokeDash: Readonly<Record<Stroke, readonly number[]>> = {
  solid: [],
  dashed: [6, 4],
  dotted: [1.5, 3.5],
  dashdot: [9, 3, 2, 3],
};

/** Line styles in the order in which the quantities of one run take them when runs are laid over each other. */
export const strokes: readonly Stroke[] = ['solid', 'dashed', 'dotted', 'dashdot'];

export interface Series {
  readonly label: string;
  /** Index into the theme's palette. */
  readonly color: number;
  /** Ascending; [n]. */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly stroke?: Stroke;
  /** Dots instead of a line (for measured values on few places). */
  readonly dots?: boolean;
  readonly faint?: boolean;
  /** Fills down to zero: histograms. */
  readonly fill?: boolean;
  /** Written behind the name in the legend. */
  readonly value?: string;
}

/** A horizontal reference line with its name; `below` marks everything under it as meaningless. */
export interface Level {
  readonly label: string;
  readonly value: number;
  readonly below?: boolean;
  /** Writes the name under the line instead of over it. */
  readonly under?: boolean;
}

/** Range of the horizontal axis. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

export interface LineChartOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** Whether a linear vertical axis always shows zero. */
  readonly zero?: boolean;
  /** Values are shares of one: the axis ends there. */
  readonly share?: boolean;
  /**
   * The horizontal axis is the training step: clicks and arrow keys choose the step that the page shows (event `pick`),
   * and zooming is shared with the other charts of that kind (event `zoom`).
   */
  readonly steps?: boolean;
  readonly levels?: () => readonly Level[];
}

/** Counts of `values` in `bins` equal parts of [low, high], as the outline of a histogram. */
export function histogram(
  values: ArrayLike<number>,
  low: number,
  high: number,
  bins: number,
): { readonly x: Float64Array; readonly y: Float64Array; readonly counts: Float64Array } {
  const counts = new Float64Array(bins);
  const span = high - low || 1;
  for (let i = 0; i < values.length; i++) {
    const bin = Math.floor(((values[i] - low) / span) * bins);
    if (bin >= 0 && values[i] <= high) counts[Math.min(bins - 1, bin)]++;
  }
  const x = new Float64Array(2 * bins + 2);
  const y = new Float64Array(2 * bins + 2);
  x[0] = low;
  for (let b = 0; b < bins; b++) {
    x[2 * b + 1] = low + (b * span) / bins;
    x[2 * b + 2] = low + ((b + 1) * span) / bins;
    y[2 * b + 1] = y[2 * b + 2] = counts[b];
  }
  x[2 * bins + 1] = high;
  return { x, y, counts };
}
