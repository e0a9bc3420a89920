/** Where lazy ends and rich begins, for everything that draws, tells or judges it. */

export interface RegimeBars {
  /** Up to here a run is lazy. */
  readonly lazy: number;
  /** From here on it is rich. */
  readonly rich: number;
}

/** Of the largest gap |f - f_lin| / |f_lin| between network and linearised twin over a whole run: what the verdict is about. */
export const gapBars: RegimeBars = { lazy: 0.05, rich: 0.2 };

/**
 * Of the kernel drift |K_t - K_0| / |K_0|, where no gap is known: drifts at which runs that have been learnt reach those
 * gaps, by gap = .21 drift^.6, which 60 two-layer runs keep to within a factor of 1.4 (`kernelscope bench regime`).
 */
export const driftBars: RegimeBars = { lazy: 0.09, rich: 0.9 };

export type JudgedRegime = 'lazy' | 'in between' | 'rich';

/** What a value says by its bars. */
export const regimeBy = (value: number, { lazy, rich }: RegimeBars): JudgedRegime =>
  value <= lazy ? 'lazy' : value >= rich ? 'rich' : 'in between';

/** What the largest gap of a whole run says. */
export const regimeOfGap = (gap: number): JudgedRegime => regimeBy(gap, gapBars);

/** Place of a value on a logarithmic scale: 0 at the lazy bar, 1 at the rich one, within [-0.5, 1.5]. */
export function regimeScore(value: number, { lazy, rich }: RegimeBars): number {
  const score = Math.log(Math.max(value, 1e-9) / lazy) / Math.log(rich / lazy);
  return Math.max(-0.5, Math.min(1.5, score));
}
