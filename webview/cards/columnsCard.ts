import { type Level, LineChart } from '../charts/lineChart.js';
import { type Series, type Stroke, strokes } from '../charts/series.js';
import { formatNumber } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import { toggle } from '../toolkit.js';
import { element } from '../ui/dom.js';
import { Card, type CardOptions, type Scene, type Table } from './card.js';
import { comparedTable, differenceOf } from './columns.js';

export interface ColumnLine {
  readonly name: string;
  readonly label: string;
  readonly color: number;
  readonly stroke?: Stroke;
  /** Left out where runs are laid over each other. */
  readonly alone?: boolean;
}

/** One plot of a card: its own vertical axis over the shared steps. */
export interface Panel {
  readonly yLabel: string | ((run: RunData) => string);
  readonly lines: readonly ColumnLine[];
  readonly logY?: boolean;
  readonly zero?: boolean;
  readonly share?: boolean;
  readonly levels?: readonly Level[];
}

export interface ColumnsCardOptions extends CardOptions {
  readonly panels: readonly Panel[];
  /** Column without which the others say nothing. */
  readonly needs?: string;
  readonly units: (run: RunData) => string;
  readonly describe: (run: RunData) => string;
}

/** Metrics columns over the steps, of every run laid over each other or as differences from the one in front. */
export class ColumnsCard extends Card {
  private readonly plots: readonly { readonly panel: Panel; readonly chart: LineChart }[];
  private logY: boolean;

  constructor(private readonly config: ColumnsCardOptions) {
    super(config);
    this.logY = config.panels.some((panel) => panel.logY);
    this.stage.classList.toggle('stacked', config.panels.length > 1);
    // The legend says the numbers already; the sentence is for screen readers.
    this.root.classList.add('quiet');
    this.plots = config.panels.map((panel) => {
      const host = element('div', { class: 'plot' });
      this.stage.append(host);
      const yLabel = typeof panel.yLabel === 'string' ? panel.yLabel : '';
      const levels = () => (this.shownAsDifference ? [] : (panel.levels ?? []));
      return {
        panel,
        chart: new LineChart(host, {
          xLabel: t('step'),
          yLabel,
          steps: true,
          zero: panel.zero,
          share: panel.share,
          logY: panel.logY,
          levels,
        }),
      };
    });
    this.switches.append(
      toggle({
        label: t('log'),
        title: t('Logarithmic vertical axis'),
        pressed: this.logY,
        onChange: (pressed) => {
          this.logY = pressed;
          config.onChange();
        },
      }),
    );
  }

  private shownAsDifference = false;

  override available(run: RunData): boolean {
    if (this.config.needs && !run.measured(this.config.needs)) return false;
    return this.config.panels.some((panel) => panel.lines.some((line) => run.measured(line.name)));
  }

  protected override draw(scene: Scene): boolean {
    const { theme, primary, runs } = scene;
    this.shownAsDifference = scene.difference && runs.length > 1;
    const all: Series[] = [];
    for (const { panel, chart } of this.plots) {
      const series = this.seriesOf(panel, scene);
      all.push(...series);
      chart.canvas.parentElement?.toggleAttribute('hidden', series.length === 0);
      if (series.length === 0 || !primary) continue;
      chart.logX = scene.logSteps;
      // A difference has two signs.
      chart.logY = this.logY && !this.shownAsDifference;
      const label = typeof panel.yLabel === 'string' ? panel.yLabel : panel.yLabel(primary);
      chart.setYLabel(this.shownAsDifference ? t('difference in {0}', label) : label);
      chart.applyTheme(theme);
      chart.setWindow(scene.window);
      chart.setCursor(scene.step);
      chart.setSeries(series);
      chart.draw();
    }
    this.setLegend(all, theme);
    return all.length > 0;
  }

  private seriesOf(panel: Panel, { runs, primary, step }: Scene): Series[] {
    const overlay = runs.length > 1;
    const series: Series[] = [];
    for (const [index, run] of runs.entries()) {
      let drawn = 0;
      for (const line of panel.lines) {
        if (overlay && line.alone) continue;
        const data = run.column(line.name);
        if (!data) continue;
        const stroke = overlay ? strokes[drawn++ % strokes.length] : line.stroke;
        const reference = this.shownAsDifference ? primary?.column(line.name) : undefined;
        if (this.shownAsDifference && (run === primary || !reference)) continue;
        const at = step === null ? run.last(line.name) : run.near(line.name, step);
        series.push({
          label: overlay ? `${run.label} · ${line.label}` : line.label,
          color: overlay ? index : line.color,
          stroke,
          x: data.step,
          y: reference ? differenceOf(data, reference) : data.values,
          ...(this.shownAsDifference ? {} : { value: formatNumber(at) }),
        });
      }
    }
    return series;
  }

  protected override summarize({ primary }: Scene): string {
    if (!primary) return '';
    const text = this.config.describe(primary);
    for (const { chart } of this.plots) chart.describe(text);
    return text;
  }

  protected override describeUnits({ primary }: Scene): string {
    return primary ? this.config.units(primary) : '';
  }

  override table({ runs }: Scene): Table {
    return comparedTable(
      runs,
      this.config.panels.flatMap((panel) => panel.lines.map((line) => line.name)),
    );
  }

  protected override picture(title: string, subtitle: string): string {
    const shown = this.plots.filter(({ chart }) => !chart.canvas.parentElement?.hidden);
    return stacked(shown.map(({ chart }) => chart.svg(title, subtitle)));
  }

  override dispose(): void {
    for (const { chart } of this.plots) chart.dispose();
  }
}

/** Pictures below each other as one. */
function stacked(pictures: readonly string[]): string {
  if (pictures.length <= 1) return pictures[0] ?? '';
  const sizes = pictures.map((svg) => {
    const [, width, height] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg) ?? [];
    return { width: Number(width), height: Number(height) };
  });
  const width = Math.max(...sizes.map((s) => s.width));
  let y = 0;
  const parts = pictures.map((svg, i) => {
    const placed = svg.replace('<svg ', `<svg y="${y}" `);
    y += sizes[i].height;
    return placed;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" width="${width}" height="${y}">${parts.join('\n')}</svg>`;
}
