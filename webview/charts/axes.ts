import type { Chart, Scale, ScaleOptionsByType } from 'chart.js';
import type { Theme } from '../theme.js';
import type { Range } from './series.js';
import { linearTicks, logTicks, tickText } from './ticks.js';

export type XyChart = Chart<'line', { x: number; y: number }[]>;

interface AxisForm {
  readonly label: string;
  readonly log: boolean;
  readonly theme: Theme;
  readonly window?: Range | null;
  readonly zero?: boolean;
  /** Values are shares of one: the axis ends there. */
  readonly share?: boolean;
}

/** Smallest ratio of both ends of a logarithmic axis. */
const smallest = 1e-16;

/** A little room above and below the data, on a logarithmic axis as a ratio. */
function pad(scale: Scale, log: boolean): void {
  if (log) {
    // What is so much smaller is rounding, and would press everything else into one line.
    scale.min = Math.max(scale.min, scale.max * smallest);
    const ratio = scale.max > scale.min ? (scale.max / scale.min) ** 0.04 : 1.5;
    scale.min /= ratio;
    scale.max *= ratio;
  }
}

/** Axis of a line chart for chart.js: our ticks and number forms, the theme's colours. */
export function axisOptions(axis: 'x' | 'y', { label, log, theme, window, zero, share }: AxisForm) {
  const font = { family: theme.font, size: 11 };
  const pixels = axis === 'x' ? 50 : 34;
  return {
    type: log ? ('logarithmic' as const) : ('linear' as const),
    bounds: (axis === 'x' || log ? 'data' : 'ticks') as ScaleOptionsByType<'linear'>['bounds'],
    beginAtZero: zero === true && !log,
    grace: axis === 'y' && !log && !share ? '3%' : 0,
    ...(share && !log ? { suggestedMax: 1 } : {}),
    title: { display: true, text: label, color: theme.muted, font, padding: axis === 'x' ? { top: 2 } : 2 },
    ticks: {
      color: theme.muted,
      font,
      padding: 4,
      maxTicksLimit: axis === 'x' ? 8 : 7,
      maxRotation: 0,
      autoSkip: axis === 'x' && !log,
      autoSkipPadding: 16,
      includeBounds: false,
      callback: (value: string | number) => tickText(Number(value), log),
    },
    grid: { color: theme.grid, lineWidth: 1, drawTicks: false },
    border: { display: false },
    afterDataLimits: (scale: Scale) => {
      if (axis === 'y') pad(scale, log);
    },
    afterBuildTicks: (scale: Scale) => {
      const room = axis === 'x' ? scale.chart.width : scale.chart.height;
      const most = Math.max(3, Math.min(8, Math.floor(room / pixels) - 1));
      if (log) scale.ticks = logTicks(scale.min, scale.max, most).map((value) => ({ value }));
      else if (axis === 'x')
        scale.ticks = linearTicks(scale.min, scale.max, most).map((value) => ({ value }));
    },
    ...(window ? { min: window.min, max: window.max } : {}),
  };
}
