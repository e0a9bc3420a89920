import { type LineFit, logLogFit, median } from '../../core/stats/index.js';
import type { Figure } from '../../theory/figure.js';

export interface CellResult {
  readonly id: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly run: string;
  readonly status: string;
  readonly steps: number;
  readonly seconds: number | null;
  readonly message?: string;
  readonly regime: string;
  /** loss, testLoss, accuracy, drift, movement, twinGap ... at the end; null where not measured. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

export interface SweepFit {
  readonly variable: string;
  readonly metric: string;
  readonly slope: number;
  readonly interval: readonly [number, number];
  readonly points: number;
}

const fitted = ['drift', 'movement', 'loss', 'testLoss', 'twinGap', 'cost'] as const;

/** Variables other than the seed with numeric values, by path. */
function numericVariables(cells: readonly CellResult[]): string[] {
  const names = Object.keys(cells[0]?.values ?? {});
  return names.filter(
    (name) =>
      name !== 'seed' &&
      !name.endsWith('.seed') &&
      cells.every((cell) => typeof cell.values[name] === 'number' && (cell.values[name] as number) > 0) &&
      new Set(cells.map((cell) => cell.values[name])).size >= 2,
  );
}

interface Curve {
  readonly label: string;
  readonly x: number[];
  /** Medians over the seeds that have the same value, with extremes. */
  readonly y: number[];
  readonly low: number[];
  readonly high: number[];
  readonly fit: LineFit | null;
}

/** A metric against a variable, one curve a value of the other variables; seeds are joined. */
function curvesOf(cells: readonly CellResult[], variable: string, metric: string): Curve[] {
  const others = Object.keys(cells[0].values).filter(
    (n) => n !== variable && n !== 'seed' && !n.endsWith('.seed'),
  );
  const groups = new Map<string, CellResult[]>();
  for (const cell of cells) {
    const label = others.map((n) => `${n.split('.').at(-1)} ${String(cell.values[n])}`).join(', ');
    groups.set(label, [...(groups.get(label) ?? []), cell]);
  }
  return [...groups].flatMap(([label, members]) => {
    const byValue = new Map<number, number[]>();
    for (const { values, metrics } of members) {
      const y = metrics[metric];
      if (y === null || y === undefined || !Number.isFinite(y)) continue;
      const x = values[variable] as number;
      byValue.set(x, [...(byValue.get(x) ?? []), y]);
    }
    const x = [...byValue.keys()].sort((a, b) => a - b);
    if (x.length < 2) return [];
    const at = (f: (v: number[]) => number) => x.map((value) => f(byValue.get(value) ?? []));
    const y = at(median);
    const usable = x.length >= 3 && y.filter((v) => v > 0).length >= 3;
    return [
      {
        label,
        x,
        y,
        low: at((v) => Math.min(...v)),
        high: at((v) => Math.max(...v)),
        fit: usable ? fitOf(byValue) : null,
      },
    ];
  });
}

/** The power law through the values of all seeds: their spread is what the interval of the slope rests on. */
function fitOf(byValue: ReadonlyMap<number, readonly number[]>): LineFit {
  const pairs = [...byValue].flatMap(([x, values]) => values.map((y) => [x, y] as const));
  return logLogFit(
    pairs.map(([x]) => x),
    pairs.map(([, y]) => y),
  );
}

/** Slopes on log axes of every metric against every numeric variable, and the figures with the fits drawn. */
export function analyse(cells: readonly CellResult[]): { fits: SweepFit[]; figures: Figure[] } {
  const fits: SweepFit[] = [];
  const figures: Figure[] = [];
  for (const variable of cells.length > 0 ? numericVariables(cells) : []) {
    for (const metric of fitted) {
      const curves = curvesOf(cells, variable, metric);
      if (curves.length === 0) continue;
      for (const { fit, label } of curves)
        if (fit)
          fits.push({
            variable,
            metric: label ? `${metric} (${label})` : metric,
            slope: fit.slope,
            interval: fit.interval,
            points: fit.points,
          });
      figures.push(figureOf(variable, metric, curves));
    }
  }
  return { fits, figures };
}

function figureOf(variable: string, metric: string, curves: readonly Curve[]): Figure {
  return {
    title: `${metric} against ${variable}`,
    xLabel: variable,
    yLabel: metric,
    logX: true,
    logY: curves.every((c) => c.low.every((v) => v > 0)),
    series: curves.flatMap(({ label, x, y, low, high, fit }, group) => {
      const several = low.some((v, i) => v !== high[i]);
      const band = several
        ? [{ label: `${label || metric}: all seeds`, x, y: high, lower: low, style: 'band' as const, group }]
        : [];
      const line = fit
        ? [
            {
              label: `slope ${fit.slope.toFixed(2)} [${fit.interval[0].toFixed(2)}, ${fit.interval[1].toFixed(2)}]`,
              x,
              y: x.map((v) => Math.exp(fit.intercept + fit.slope * Math.log(v))),
              style: 'dashed' as const,
              group,
            },
          ]
        : [];
      const dots = {
        label: several ? `${label || metric}: median` : label || metric,
        x,
        y,
        style: 'dots' as const,
        group,
      };
      return [...band, dots, ...line];
    }),
  };
}
