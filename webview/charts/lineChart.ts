import {
  Chart,
  type ChartDataset,
  Filler,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  Tooltip,
} from 'chart.js';
import { formatNumber } from '../format.js';
import { readTheme, type Theme, translucent } from '../theme.js';
import { axisOptions, type XyChart } from './axes.js';
import { decimateForPixels } from './decimate.js';
import { type Overlay, overlayPlugin } from './overlay.js';
import { followPointer } from './pointer.js';
import { type LineChartOptions, type Range, type Series, strokeDash } from './series.js';
import { lineChartSvg } from './svg.js';

export type { Level, LineChartOptions, Range, Series } from './series.js';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Tooltip, Filler);

type Point = { x: number; y: number };

/**
 * A line chart over chart.js, drawn only when asked: own min-max decimation to a point a pixel, no animation, no
 * parsing, non-positive values on log axes as gaps. Mouse and keyboard: see `followPointer`.
 */
export class LineChart {
  readonly canvas = document.createElement('canvas');
  /** Made when it is first drawn: a page opens with many charts, of which it shows few. */
  private made: XyChart | null = null;
  private series: readonly Series[] = [];
  private window: Range | null = null;
  private cursor: number | null = null;
  private theme: Theme = readTheme();
  /** What the scales were last set up for; setting them up anew is slow. */
  private configured = '';
  private yLabel: string;
  /** Point of the first series that the keyboard reads. */
  private reading = -1;
  logX: boolean;
  logY: boolean;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: LineChartOptions,
  ) {
    this.logX = options.logX ?? false;
    this.logY = options.logY ?? false;
    this.yLabel = options.yLabel;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'img');
    this.describe(`${options.yLabel} / ${options.xLabel}`);
    host.append(this.canvas);
    followPointer(this.canvas, host, {
      valueAt: (pixel) => this.chart.scales['x'].getValueForPixel(pixel),
      shown: () => ({ min: this.chart.scales['x'].min, max: this.chart.scales['x'].max }),
      logarithmic: () => this.logX,
      zoom: (range) => this.zoomTo(range),
      choose: (value) => {
        if (this.options.steps) this.tell('pick', value);
      },
      step: (points) => this.read(points),
    });
  }

  setSeries(series: readonly Series[]): void {
    this.series = series;
  }

  /** Limits of the horizontal axis that are shown; null shows everything. */
  setWindow(window: Range | null): void {
    this.window = window;
  }

  /** Marks a place on the horizontal axis; null for none. */
  setCursor(value: number | null): void {
    this.cursor = value;
  }

  setYLabel(label: string): void {
    this.yLabel = label;
  }

  describe(text: string): void {
    if (this.canvas.getAttribute('aria-label') !== text) this.canvas.setAttribute('aria-label', text);
  }

  applyTheme(theme: Theme): void {
    this.theme = theme;
  }

  /** Puts the current series on the canvas. Call from an animation frame. */
  draw(): void {
    if (this.host.clientWidth === 0) return;
    this.configureScales();
    this.fillDatasets();
    this.chart.update('none');
  }

  svg(title: string, subtitle: string): string {
    return lineChartSvg(this.chart, {
      title,
      subtitle,
      xLabel: this.options.xLabel,
      yLabel: this.yLabel,
      ...this.overlay(),
    });
  }

  dispose(): void {
    this.made?.destroy();
    this.canvas.remove();
  }

  private get chart(): XyChart {
    this.made ??= this.create();
    return this.made;
  }

  private create(): XyChart {
    return new Chart<'line', Point[]>(this.canvas, {
      type: 'line',
      data: { datasets: [] },
      plugins: [overlayPlugin(() => this.overlay())],
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        spanGaps: false,
        layout: { padding: { top: 6, right: 8 } },
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        plugins: {
          tooltip: {
            animation: false,
            boxPadding: 4,
            boxWidth: 10,
            boxHeight: 2,
            callbacks: {
              title: (items) => `${this.options.xLabel} ${formatNumber(items[0]?.parsed.x)}`,
              label: (item) => `${item.dataset.label ?? ''}: ${formatNumber(item.parsed.y)}`,
            },
          },
        },
        scales: { x: { type: 'linear' }, y: { type: 'linear' } },
      },
    });
  }

  private overlay(): Overlay {
    return { theme: this.theme, levels: this.options.levels?.() ?? [], cursor: this.cursor };
  }

  /** Known datasets keep their object: chart.js resolves the options of a new one anew, which costs more than drawing. */
  private fillDatasets(): void {
    const fresh = this.datasets();
    const held = this.chart.data.datasets;
    held.length = Math.min(held.length, fresh.length);
    for (const [i, dataset] of fresh.entries()) {
      // Of a known one chart.js keeps the points' options, so where these change the dataset does too.
      if (held[i]?.pointRadius === dataset.pointRadius) Object.assign(held[i], dataset);
      else held[i] = dataset;
    }
  }

  private datasets(): ChartDataset<'line', Point[]>[] {
    const { theme } = this;
    // Not that of the plot: before its first layout chart.js does not know it.
    const width = this.host.clientWidth;
    return this.series.map((s) => {
      const color = theme.palette[s.color % theme.palette.length];
      // A pair of points for every two pixels is all that a line of that width can show.
      const pixels = s.dots ? width : width / 2;
      const data = s.fill
        ? Array.from(s.x, (x, i) => ({ x, y: s.y[i] }))
        : decimateForPixels(s.x, s.y, pixels, { window: this.window, logX: this.logX, logY: this.logY });
      return {
        label: s.label,
        data,
        // Broken lines lie over whole ones, so that both are seen where they agree.
        order: s.stroke && s.stroke !== 'solid' ? 0 : 1,
        borderColor: s.faint ? translucent(color, theme.highContrast ? 0.9 : 0.65) : color,
        backgroundColor: s.fill ? translucent(color, 0.35) : color,
        fill: s.fill ? 'origin' : false,
        borderWidth: s.faint ? 1.25 : theme.highContrast ? 2.5 : 2,
        borderDash: [...strokeDash[s.stroke ?? 'solid']],
        borderCapStyle: s.stroke === 'dotted' ? 'round' : 'butt',
        pointRadius: s.dots || data.length === 1 ? (data.length > 60 ? 2 : 3) : 0,
        pointBackgroundColor: color,
        pointBorderColor: color,
        pointHoverRadius: 4,
        pointHitRadius: 6,
        showLine: !s.dots,
      };
    });
  }

  private configureScales(): void {
    const { theme } = this;
    const key = JSON.stringify([this.logX, this.logY, this.window, this.yLabel, theme]);
    if (key === this.configured) return;
    this.configured = key;
    const { xLabel, zero, share } = this.options;
    this.chart.options.scales = {
      x: axisOptions('x', { label: xLabel, log: this.logX, theme, window: this.window }),
      y: axisOptions('y', { label: this.yLabel, log: this.logY, theme, zero, share }),
    };
    const font = { family: theme.font, size: 11 };
    if (this.chart.options.plugins?.tooltip) {
      Object.assign(this.chart.options.plugins.tooltip, {
        backgroundColor: theme.background,
        titleColor: theme.foreground,
        bodyColor: theme.foreground,
        borderColor: theme.highContrast ? theme.foreground : theme.muted,
        borderWidth: 1,
        cornerRadius: 3,
        titleFont: { ...font, weight: 'bold' },
        bodyFont: font,
      });
    }
  }

  /** Reads the next point of the first series aloud and marks it; on a step axis the page goes there. */
  private read(points: number): void {
    const data = this.chart.data.datasets[0]?.data ?? [];
    if (data.length === 0) return;
    const last = data.length - 1;
    const from =
      this.options.steps && this.cursor !== null
        ? nearest(data, this.cursor)
        : this.reading < 0
          ? last
          : this.reading;
    this.reading = Math.max(0, Math.min(last, from + points));
    const { x } = data[this.reading];
    const active = this.chart.data.datasets.flatMap((set, datasetIndex) =>
      set.data.length > 0 ? [{ datasetIndex, index: nearest(set.data, x) }] : [],
    );
    this.chart.tooltip?.setActiveElements(active, {
      x: this.chart.scales['x'].getPixelForValue(x),
      y: this.chart.chartArea.top,
    });
    const told = active.map(({ datasetIndex, index }) => {
      const set = this.chart.data.datasets[datasetIndex];
      return `${set.label ?? ''} ${formatNumber(set.data[index].y)}`;
    });
    this.tell('read', `${this.options.xLabel} ${formatNumber(x)}: ${told.join(', ')}`);
    if (this.options.steps) this.tell('pick', x);
    else this.chart.draw();
  }

  private zoomTo(range: Range | null): void {
    if (this.options.steps) {
      this.tell('zoom', range);
      return;
    }
    this.window = range;
    this.draw();
  }

  private tell(name: 'pick' | 'zoom' | 'read', detail: unknown): void {
    this.host.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

function nearest(points: readonly Point[], x: number): number {
  let best = 0;
  for (let i = 1; i < points.length; i++)
    if (Math.abs(points[i].x - x) < Math.abs(points[best].x - x)) best = i;
  return best;
}
