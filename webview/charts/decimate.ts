import { decimate } from '../../src/core/series/index.js';

export interface PlotWindow {
  readonly window: { readonly min: number; readonly max: number } | null;
  readonly logX: boolean;
  readonly logY: boolean;
}

/** A series thinned to at most two points a pixel, in the shape chart.js draws without parsing. */
export function decimateForPixels(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  pixels: number,
  { window, logX, logY }: PlotWindow,
): { x: number; y: number }[] {
  const points = decimate(x, y, { pixels, logX, logY, from: window?.min, to: window?.max });
  const out = new Array<{ x: number; y: number }>(points.x.length);
  for (let i = 0; i < out.length; i++) out[i] = { x: points.x[i], y: points.y[i] };
  return out;
}
