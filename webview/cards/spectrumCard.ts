import { histogram, type Series } from '../charts/series.js';
import { formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { dropdown } from '../toolkit.js';
import { Card, type CardPlace, type Scene, type Table } from './card.js';
import { ChartViews } from './chartViews.js';

type SpectrumView = 'index' | 'time' | 'density' | 'energy';
const trackedModes = 8;

/** Eigenvalues of the kernel: over the index, the top ones over the run, as a density, and the labels' share in each. */
export class SpectrumCard extends Card {
  protected override readonly followsRows = false;
  private readonly views: ChartViews<SpectrumView>;
  private floor = Number.NaN;

  constructor(place: CardPlace) {
    super({
      ...place,
      id: 'spectrum',
      title: t('NTK eigenspectrum'),
      explanation: t(
        'Eigenvalues of the neural tangent kernel on the probe inputs, largest first. Each eigenvalue is the speed at which gradient descent learns the pattern in its eigenvector: large ones are learnt at once, tiny ones hardly ever. A spectrum that keeps its shape means lazy training; one that changes means that features are learnt. Values in the shaded band are rounding noise.',
      ),
      missing: t('the kernel’s eigenvalues: set measure.kernels above 0'),
    });
    const levels = () => [{ label: t('noise floor'), value: this.floor, below: true }];
    const eigenvalue = t('eigenvalue λ');
    const options = {
      index: { xLabel: t('index k'), yLabel: eigenvalue, logX: true, logY: true, levels },
      time: { xLabel: t('step'), yLabel: eigenvalue, logY: true, steps: true, levels },
      density: { xLabel: 'log₁₀ λ', yLabel: t('eigenvalues'), zero: true },
      energy: { xLabel: t('index k'), yLabel: t('share of the labels'), logX: true, zero: true, share: true },
    };
    this.views = new ChartViews<SpectrumView>(this.stage, options, 'index');
    this.switches.append(
      dropdown({
        label: t('How to draw the spectrum'),
        selected: this.views.view,
        values: [
          { value: 'index', text: t('over index') },
          { value: 'time', text: t('over time') },
          { value: 'density', text: t('density') },
          { value: 'energy', text: t('label energy') },
        ],
        onChange: (value) => {
          this.views.view = value as SpectrumView;
          place.onChange();
        },
      }),
    );
  }

  override available(run: RunData): boolean {
    return run.has('eigenvalues');
  }

  protected override draw(scene: Scene): boolean {
    const { primary, step } = scene;
    const now = primary?.snapshotAt('eigenvalues', step);
    if (!primary || !now) return false;
    this.floor = now.noiseFloor ?? Number.NaN;
    const series = {
      index: () => overIndex(scene),
      time: () => overTime(primary, trackedModes),
      density: () => density(scene),
      energy: () => labelEnergy(scene),
    }[this.views.view]();
    this.views.draw(scene, series, this.views.view === 'time');
    this.setLegend(series, scene.theme);
    return true;
  }

  protected override summarize({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('eigenvalues', step);
    if (!primary || !now) return '';
    const values = now.data;
    const text = t(
      'At step {0}: largest eigenvalue {1}, smallest {2}, kernel drift {3}.',
      now.step,
      formatNumber(values[0]),
      formatNumber(values[values.length - 1]),
      formatPercent(primary.near('drift', now.step)),
    );
    this.views.describe(text);
    return text;
  }

  protected override describeUnits({ primary }: Scene): string {
    return primary ? t('of Θ on {0} probe inputs, mean over outputs', primary.info.probe.size) : '';
  }

  override table({ primary, step }: Scene): Table {
    const now = primary?.snapshotAt('eigenvalues', step);
    const start = primary?.firstSnapshot('eigenvalues');
    const energy = primary?.snapshotAt('energy', step);
    const ghost = primary?.firstSnapshot('limitEigenvalues');
    if (!now) return { columns: ['k'], rows: [] };
    return {
      columns: [
        'k',
        `eigenvalue (step ${now.step})`,
        'eigenvalue (start)',
        'label energy',
        ...(ghost ? ['infinite width'] : []),
      ],
      rows: Array.from(now.data, (value, k) => [
        k + 1,
        value,
        start?.data[k] ?? null,
        energy?.data[k] ?? null,
        ...(ghost ? [ghost.data[k] ?? null] : []),
      ]),
    };
  }

  protected override picture(title: string, subtitle: string): string {
    return this.views.shown.svg(title, subtitle);
  }

  override dispose(): void {
    this.views.dispose();
  }
}

const indexAxis = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => i + 1);

function overIndex({ runs, primary, step }: Scene): Series[] {
  const series: Series[] = [];
  const overlay = runs.length > 1;
  for (const [index, run] of runs.entries()) {
    const now = run.snapshotAt('eigenvalues', step);
    if (!now) continue;
    const x = indexAxis(now.data.length);
    const name = overlay ? `${run.label} · ` : '';
    series.push({ label: name + t('step {0}', now.step), color: index, x, y: now.data });
    const start = run.firstSnapshot('eigenvalues');
    if (start && start !== now && run === primary)
      series.push({
        label: name + t('at the start'),
        color: overlay ? index : 1,
        stroke: 'dashed',
        x,
        y: start.data,
      });
  }
  const ghost = primary?.firstSnapshot('limitEigenvalues');
  if (ghost)
    series.push({
      label: t('infinite width'),
      color: 3,
      stroke: 'dotted',
      x: indexAxis(ghost.data.length),
      y: ghost.data,
    });
  return series;
}

/** The largest eigenvalues over the measured steps. */
function overTime(run: RunData, most: number): Series[] {
  const all = run.snapshots('eigenvalues');
  const modes = Math.min(most, all[0]?.data.length ?? 0);
  const x = Float64Array.from(all, (s) => s.step);
  return Array.from({ length: modes }, (_, k) => ({
    label: `λ${k + 1}`,
    color: k,
    stroke: k < 6 ? ('solid' as const) : ('dashed' as const),
    x,
    y: Float64Array.from(all, (s) => s.data[k]),
    faint: k > 2,
  }));
}

/** Histograms over equal parts of the logarithm, now and at the start. */
function density({ primary, step }: Scene): Series[] {
  const now = primary?.snapshotAt('eigenvalues', step);
  const start = primary?.firstSnapshot('eigenvalues');
  if (!now || !start) return [];
  const logs = (data: ArrayLike<number>) =>
    Array.from(data)
      .filter((v) => v > Math.max(0, now.noiseFloor ?? 0))
      .map(Math.log10);
  const [a, b] = [logs(now.data), logs(start.data)];
  const [low, high] = [Math.min(...a, ...b), Math.max(...a, ...b)];
  const bins = 28;
  const series: Series[] = [
    { label: t('step {0}', now.step), color: 0, fill: true, ...histogram(a, low, high, bins) },
  ];
  if (start !== now)
    series.push({
      label: t('at the start'),
      color: 1,
      stroke: 'dashed',
      ...histogram(b, low, high, bins),
    });
  return series;
}

/** How much of the labels lies in the first k eigenvectors. */
function labelEnergy({ runs, step }: Scene): Series[] {
  return runs.flatMap((run, index) => {
    const now = run.snapshotAt('energy', step);
    if (!now) return [];
    let sum = 0;
    const name = runs.length > 1 ? `${run.label} · ` : '';
    return [
      {
        label: `${name}${t('labels in the first k modes')}`,
        color: index,
        x: indexAxis(now.data.length),
        y: Float64Array.from(now.data, (v) => (sum += v)),
      },
    ];
  });
}
