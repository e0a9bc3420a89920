import type { ForeignModel, ForeignTensor } from '../preload/foreign.js';

/** Metrics that a step of fit computes beside its loss, as columns of a run. */
export function metricValues(
  model: ForeignModel,
  metrics: readonly ForeignTensor[],
): Readonly<Record<string, number>> {
  const columns: Record<string, number> = {};
  for (const [i, value] of metrics.entries()) {
    const metric = model.metricsNames?.[i + 1];
    if (metric === undefined || value.isDisposed) continue;
    columns[columnOf(metric)] = value.dataSync()[0];
  }
  return columns;
}

/** Column of a metric that the program names. */
export const columnOf = (metric: string): string =>
  metric === 'acc' || metric === 'accuracy' ? 'trainAccuracy' : `metric.${metric}`;
