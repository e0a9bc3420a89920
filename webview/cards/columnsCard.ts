import { LineChart, type Series } from '../charts/lineChart.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { checkbox } from '../toolkit.js';
import { Card, type CardOptions, chartPictures, type Scene, type Table } from './card.js';
import { columnsTable } from './columns.js';

export interface ColumnLine {
  readonly name: string;
  readonly label: string;
  readonly color: number;
  readonly dashed?: boolean;
}

export interface ColumnsCardOptions extends CardOptions {
  readonly yLabel: string;
  readonly lines: readonly ColumnLine[];
  readonly logY?: boolean;
  readonly describe: (run: RunData) => string;
  /** Asks for a new drawing after a switch was used. */
  readonly onChange: () => void;
}

/** Metrics columns over the steps, of every run laid over each other. */
export class ColumnsCard extends Card {
  private readonly chart: LineChart;

  constructor(private readonly config: ColumnsCardOptions) {
    super(config);
    this.chart = new LineChart(this.stage, { xLabel: t('step'), yLabel: config.yLabel, logY: config.logY });
    this.tools.prepend(
      checkbox({
        label: t('log x'),
        checked: false,
        onChange: (checked) => {
          this.chart.logX = checked;
          config.onChange();
        },
      }),
      checkbox({
        label: t('log y'),
        checked: this.chart.logY,
        onChange: (checked) => {
          this.chart.logY = checked;
          config.onChange();
        },
      }),
    );
  }

  protected override draw({ runs, primary, theme }: Scene): boolean {
    const series: Series[] = [];
    const overlay = runs.length > 1;
    for (const [index, run] of runs.entries()) {
      for (const line of this.config.lines) {
        const data = run.column(line.name);
        if (!data) continue;
        series.push({
          label: overlay ? `${run.label} · ${line.label}` : line.label,
          color: line.color + 2 * index,
          dashed: line.dashed,
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
      series.map((s) => ({
        label: s.label,
        color: theme.palette[s.color % theme.palette.length],
        dashed: s.dashed,
      })),
    );
    return true;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary) return '';
    const text = this.config.describe(primary);
    this.chart.describe(text);
    return text;
  }

  override table({ primary }: Scene): Table {
    return columnsTable(
      primary,
      this.config.lines.map((line) => line.name),
    );
  }

  protected override pictures() {
    return chartPictures(this.chart, this.options.title);
  }

  override dispose(): void {
    this.chart.dispose();
  }
}
