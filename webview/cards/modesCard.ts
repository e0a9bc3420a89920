import { LineChart, type Series } from '../charts/lineChart.js';
import { formatNumber } from '../format.js';
import { t } from '../strings.js';
import { Card, type CardOptions, chartPictures, type Scene, type Table } from './card.js';

/** What is still to be learnt along each eigenvector of the initial kernel, against theory's value. */
export class ModesCard extends Card {
  protected override readonly followsRows = false;
  private readonly chart: LineChart;

  constructor(options: Pick<CardOptions, 'outlet'>) {
    super({
      ...options,
      id: 'modes',
      title: t('Residual per eigenmode'),
      explanation: t(
        'The error split along the eigenvectors of the initial kernel, largest eigenvalue first. Under gradient descent with a fixed kernel the error along mode k shrinks by the factor 1 − η λ_k / n in every step; the dashed line is that prediction. Modes at the left are learnt first.',
      ),
    });
    this.chart = new LineChart(this.stage, {
      xLabel: t('mode'),
      yLabel: t('|residual|'),
      logX: true,
      logY: true,
    });
  }

  protected override draw({ primary, step, theme }: Scene): boolean {
    const now = primary?.snapshotAt('residual', step);
    if (!primary || !now) return false;
    const x = Float64Array.from({ length: now.data.length }, (_, k) => k + 1);
    const magnitude = (data: ArrayLike<number>) => Float64Array.from(data, Math.abs);
    const series: Series[] = [];
    const start = primary.firstSnapshot('residual');
    if (start && start !== now)
      series.push({ label: t('at the start'), color: 1, faint: true, x, y: magnitude(start.data) });
    const predicted = primary.snapshotAt('predictedResidual', now.step);
    if (predicted)
      series.push({ label: t('predicted'), color: 2, dashed: true, x, y: magnitude(predicted.data) });
    series.push({ label: t('step {0}', now.step), color: 0, x, y: magnitude(now.data) });
    this.chart.applyTheme(theme);
    this.chart.setSeries(series);
    this.chart.draw();
    this.setLegend(
      series.map((s) => ({
        label: s.label,
        color: theme.palette[s.color % theme.palette.length],
        dashed: s.dashed,
      })),
    );
    return true;
  }

  protected override summarize({ primary, step }: Scene): string {
    const now = primary?.snapshotAt('residual', step);
    const start = primary?.firstSnapshot('residual');
    if (!now || !start) return '';
    let learnt = 0;
    for (let k = 0; k < now.data.length; k++)
      if (Math.abs(now.data[k]) < 0.1 * Math.abs(start.data[k])) learnt++;
    const text = t(
      'At step {0}, {1} of {2} modes are below a tenth of their initial error.',
      formatNumber(now.step),
      learnt,
      now.data.length,
    );
    this.chart.describe(text);
    return text;
  }

  override table({ primary, step }: Scene): Table {
    const now = primary?.snapshotAt('residual', step);
    if (!primary || !now) return { columns: ['mode'], rows: [] };
    const start = primary.firstSnapshot('residual');
    const predicted = primary.snapshotAt('predictedResidual', now.step);
    return {
      columns: ['mode', 'residual', 'predicted', 'start'],
      rows: Array.from(now.data, (v, k) => [k + 1, v, predicted?.data[k] ?? null, start?.data[k] ?? null]),
    };
  }

  protected override pictures() {
    return chartPictures(this.chart, this.options.title);
  }

  override dispose(): void {
    this.chart.dispose();
  }
}
