import { LineChart, type Series } from '../charts/lineChart.js';
import { formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { Card, type CardOptions, chartPictures, type Scene, type Table } from './card.js';
import { columnsTable } from './columns.js';

const lossColumns = [
  { name: 'loss', label: () => t('train'), color: 0, dashed: false },
  { name: 'testLoss', label: () => t('test'), color: 1, dashed: false },
  { name: 'twinLoss', label: () => t('linearised twin'), color: 3, dashed: true },
  { name: 'predictedLoss', label: () => t('predicted by the kernel'), color: 2, dashed: true },
] as const;

/** Training and test loss, with the linearised twin and the kernel's prediction where they were measured. */
export class LossCard extends Card {
  private readonly chart: LineChart;

  constructor(options: Pick<CardOptions, 'outlet'>) {
    super({
      ...options,
      id: 'loss',
      title: t('Loss'),
      explanation: t(
        'How far the network is from its targets, on the training and on the test samples. The dashed lines are what theory says: the network replaced by its linearisation at the start (twin), and the decay that the kernel’s eigenvalues predict. Where they part from the solid line, the network has left the kernel regime.',
      ),
    });
    this.chart = new LineChart(this.stage, { xLabel: t('step'), yLabel: t('loss'), logY: true });
  }

  protected override draw({ runs, primary, theme }: Scene): boolean {
    const series: Series[] = [];
    const overlay = runs.length > 1;
    for (const [index, run] of runs.entries()) {
      for (const column of lossColumns) {
        const data = run.column(column.name);
        if (!data) continue;
        series.push({
          label: overlay ? `${run.label} · ${column.label()}` : column.label(),
          color: overlay ? index * 2 + (column.name === 'testLoss' ? 1 : 0) : column.color,
          dashed: column.dashed,
          faint: run !== primary,
          x: data.step,
          y: data.values,
        });
      }
    }
    if (series.length === 0) return false;
    this.chart.applyTheme(theme);
    this.chart.setSeries(series);
    this.chart.draw();
    this.setLegend(
      series.map((s) => ({ label: s.label, color: theme.palette[s.color % theme.palette.length], dashed: s.dashed })),
    );
    return true;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary) return '';
    const text = describeLoss(primary);
    this.chart.describe(text);
    return text;
  }

  override table({ primary }: Scene): Table {
    return columnsTable(primary, ['loss', 'testLoss', 'twinLoss', 'predictedLoss', 'accuracy']);
  }

  protected override pictures() {
    return chartPictures(this.chart, this.options.title);
  }

  override dispose(): void {
    this.chart.dispose();
  }
}

function describeLoss(run: RunData): string {
  const step = formatNumber(run.last('step'));
  const parts = [t('Step {0}: training loss {1}', step, formatNumber(run.last('loss')))];
  const test = run.last('testLoss');
  if (test !== null) parts.push(t('test loss {0}', formatNumber(test)));
  const accuracy = run.last('accuracy');
  if (accuracy !== null) parts.push(t('test accuracy {0}', formatPercent(accuracy)));
  return `${parts.join(', ')}.`;
}
