import { LineChart, type Series } from '../charts/lineChart.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { dropdown } from '../toolkit.js';
import { Card, type CardOptions, chartPictures, type Scene, type Table } from './card.js';

type SpectrumView = 'index' | 'time' | 'density';
const trackedModes = 10;

/** Eigenvalues of the kernel: over the index, the top ones over the run, or as a density; with noise floor and ghost. */
export class SpectrumCard extends Card {
  protected override readonly followsRows = false;
  private readonly charts: Record<SpectrumView, LineChart>;
  private view: SpectrumView = 'index';
  private floor = Number.NaN;

  constructor(options: Pick<CardOptions, 'outlet'> & { readonly onChange: () => void }) {
    super({
      ...options,
      id: 'spectrum',
      title: t('NTK eigenspectrum'),
      explanation: t(
        'Eigenvalues of the neural tangent kernel on the probe inputs, largest first. Each eigenvalue is the speed at which gradient descent learns the pattern in its eigenvector: large ones are learnt at once, tiny ones hardly ever. A spectrum that keeps its shape means lazy training; one that changes means that features are learnt. Values under the dotted line are rounding noise.',
      ),
    });
    const levels = () => [{ label: t('noise floor'), value: this.floor }];
    this.charts = {
      index: new LineChart(this.stage, {
        xLabel: t('index'),
        yLabel: t('eigenvalue'),
        logX: true,
        logY: true,
        levels,
      }),
      time: new LineChart(this.stage, { xLabel: t('step'), yLabel: t('eigenvalue'), logY: true, levels }),
      density: new LineChart(this.stage, { xLabel: t('eigenvalue'), yLabel: t('count'), logX: true }),
    };
    this.tools.prepend(
      dropdown({
        label: t('How to draw the spectrum'),
        selected: this.view,
        values: [
          { value: 'index', text: t('over index') },
          { value: 'time', text: t('over time') },
          { value: 'density', text: t('density') },
        ],
        onChange: (value) => {
          this.view = value as SpectrumView;
          options.onChange();
        },
      }),
    );
    this.showOnly();
  }

  protected override draw(scene: Scene): boolean {
    this.showOnly();
    const { primary, theme } = scene;
    if (!primary?.snapshotAt('eigenvalues', scene.step)) return false;
    this.floor = primary.snapshotAt('eigenvalues', scene.step)?.noiseFloor ?? Number.NaN;
    const series =
      this.view === 'index'
        ? this.overIndex(scene)
        : this.view === 'time'
          ? overTime(primary)
          : density(scene);
    const chart = this.charts[this.view];
    chart.applyTheme(theme);
    chart.setSeries(series);
    chart.draw();
    const legend = this.view === 'time' ? [series[0], series[series.length - 1]] : series;
    this.setLegend(
      legend.map((s) => ({
        label: s.label,
        color: theme.palette[s.color % theme.palette.length],
        dashed: s.dashed,
      })),
    );
    return true;
  }

  private overIndex({ runs, primary, step }: Scene): Series[] {
    const series: Series[] = [];
    for (const [index, run] of runs.entries()) {
      const now = run.snapshotAt('eigenvalues', step);
      if (!now) continue;
      const x = indexAxis(now.data.length);
      const name = runs.length > 1 ? `${run.label} · ` : '';
      const start = run.firstSnapshot('eigenvalues');
      if (start && start !== now && run === primary)
        series.push({ label: name + t('at the start'), color: 1, dashed: true, x, y: start.data });
      series.push({
        label: name + t('step {0}', now.step),
        color: index * 2,
        x,
        y: now.data,
        faint: run !== primary,
      });
    }
    const ghost = primary?.firstSnapshot('limitEigenvalues');
    if (ghost)
      series.push({
        label: t('infinite width'),
        color: 3,
        dashed: true,
        x: indexAxis(ghost.data.length),
        y: ghost.data,
      });
    return series;
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
      formatNumber(primary.at('drift', now.step)),
    );
    this.charts[this.view].describe(text);
    return text;
  }

  override table({ primary, step }: Scene): Table {
    const now = primary?.snapshotAt('eigenvalues', step);
    const start = primary?.firstSnapshot('eigenvalues');
    const energy = primary?.snapshotAt('energy', step);
    if (!now) return { columns: ['k'], rows: [] };
    return {
      columns: ['k', `eigenvalue (step ${now.step})`, 'eigenvalue (start)', 'label energy'],
      rows: Array.from(now.data, (value, k) => [
        k + 1,
        value,
        start?.data[k] ?? null,
        energy?.data[k] ?? null,
      ]),
    };
  }

  protected override pictures() {
    return chartPictures(this.charts[this.view], this.options.title);
  }

  override dispose(): void {
    for (const chart of Object.values(this.charts)) chart.dispose();
  }

  private showOnly(): void {
    for (const [view, chart] of Object.entries(this.charts)) chart.canvas.hidden = view !== this.view;
  }
}

const indexAxis = (length: number): Float64Array => Float64Array.from({ length }, (_, i) => i + 1);

function overTime(run: RunData): Series[] {
  const all = run.snapshots('eigenvalues');
  const modes = Math.min(trackedModes, all[0]?.data.length ?? 0);
  const x = Float64Array.from(all, (s) => s.step);
  return Array.from({ length: modes }, (_, k) => ({
    label: t('mode {0}', k + 1),
    color: k,
    x,
    y: Float64Array.from(all, (s) => s.data[k]),
    faint: k > 0,
  }));
}

/** Histogram over logarithmic bins, as a step line. */
function density({ primary, step }: Scene): Series[] {
  const now = primary?.snapshotAt('eigenvalues', step);
  if (!now) return [];
  const positive = Array.from(now.data).filter((v) => v > 0);
  const low = Math.log10(Math.max(Math.min(...positive), now.noiseFloor ?? 0));
  const high = Math.log10(Math.max(...positive));
  const bins = 24;
  const counts = new Float64Array(bins);
  for (const v of positive) {
    const bin = Math.floor(((Math.log10(v) - low) / (high - low || 1)) * bins);
    if (bin >= 0) counts[Math.min(bins - 1, bin)]++;
  }
  const x: number[] = [];
  const y: number[] = [];
  for (let b = 0; b < bins; b++) {
    x.push(10 ** (low + (b * (high - low)) / bins), 10 ** (low + ((b + 1) * (high - low)) / bins));
    y.push(counts[b], counts[b]);
  }
  return [{ label: t('eigenvalues at step {0}', now.step), color: 0, x, y }];
}
