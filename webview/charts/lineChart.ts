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
import { readTheme, type Theme } from '../theme.js';
import { decimateForPixels } from './decimate.js';
import { lineChartSvg } from './svg.js';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, Tooltip, Filler);

export interface Series {
  readonly label: string;
  /** Index into the theme's palette. */
  readonly color: number;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly dashed?: boolean;
  /** Dots instead of a line (for measured values on few places). */
  readonly dots?: boolean;
  readonly faint?: boolean;
}

export interface LineChartOptions {
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  /** Horizontal reference lines (noise floor, bounds). */
  readonly levels?: () => readonly { readonly label: string; readonly value: number }[];
}

type Point = { x: number; y: number };
type XyChart = Chart<'line', Point[]>;

/**
 * A line chart over chart.js, drawn only when asked: own min-max decimation to two points a pixel, no animation, no
 * parsing, non-positive values on log axes as gaps. Zoom by dragging or with the keyboard (+, -, arrows, 0).
 */
export class LineChart {
  readonly canvas = document.createElement('canvas');
  private readonly chart: XyChart;
  private series: readonly Series[] = [];
  private window: { min: number; max: number } | null = null;
  private theme: Theme = readTheme();
  private drag: { start: number; box: HTMLElement } | null = null;
  /** What the scales were last set up for; setting them up anew is slow. */
  private configured = '';
  logX: boolean;
  logY: boolean;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: LineChartOptions,
  ) {
    this.logX = options.logX ?? false;
    this.logY = options.logY ?? false;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute('role', 'img');
    this.describe(`${options.yLabel} / ${options.xLabel}`);
    host.append(this.canvas);
    this.chart = new Chart<'line', Point[]>(this.canvas, {
      type: 'line',
      data: { datasets: [] },
      options: {
        animation: false,
        parsing: false,
        normalized: true,
        responsive: true,
        maintainAspectRatio: false,
        spanGaps: false,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        plugins: {
          tooltip: {
            animation: false,
            callbacks: {
              title: (items) => `${this.options.xLabel} ${formatNumber(items[0]?.parsed.x)}`,
              label: (item) => `${item.dataset.label ?? ''}: ${formatNumber(item.parsed.y)}`,
            },
          },
        },
        scales: { x: { type: 'linear' }, y: { type: 'linear' } },
      },
    });
    this.listen();
  }

  setSeries(series: readonly Series[]): void {
    this.series = series;
  }

  /** Limits of the horizontal axis that are shown; null shows everything. */
  setWindow(window: { min: number; max: number } | null): void {
    this.window = window;
  }

  describe(text: string): void {
    this.canvas.setAttribute('aria-label', text);
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

  png(): Promise<Blob | null> {
    return new Promise((resolve) => this.canvas.toBlob(resolve, 'image/png'));
  }

  svg(title: string): string {
    return lineChartSvg(this.chart, this.theme, title, this.options);
  }

  dispose(): void {
    this.chart.destroy();
    this.canvas.remove();
  }

  /** Known datasets keep their object: chart.js resolves the options of a new one anew, which costs more than drawing. */
  private fillDatasets(): void {
    const fresh = this.datasets();
    const held = this.chart.data.datasets;
    held.length = Math.min(held.length, fresh.length);
    for (const [i, dataset] of fresh.entries()) {
      if (held[i]) Object.assign(held[i], dataset);
      else held.push(dataset);
    }
  }

  private datasets(): ChartDataset<'line', Point[]>[] {
    const width = this.chart.chartArea?.width ?? this.host.clientWidth;
    const out: ChartDataset<'line', Point[]>[] = [];
    let xMin = Number.POSITIVE_INFINITY;
    let xMax = Number.NEGATIVE_INFINITY;
    for (const s of this.series) {
      const color = this.theme.palette[s.color % this.theme.palette.length];
      const data = decimateForPixels(s.x, s.y, width, {
        window: this.window,
        logX: this.logX,
        logY: this.logY,
      });
      for (const point of data) {
        if (point.x < xMin) xMin = point.x;
        if (point.x > xMax) xMax = point.x;
      }
      out.push({
        label: s.label,
        data,
        borderColor: color,
        backgroundColor: color,
        borderWidth: s.faint ? 1 : this.theme.highContrast ? 2.5 : 1.75,
        borderDash: s.dashed ? [6, 4] : [],
        pointRadius: s.dots || data.length === 1 ? 2.5 : 0,
        pointHitRadius: 6,
        showLine: !s.dots,
      });
    }
    if (xMin < xMax) {
      for (const level of this.options.levels?.() ?? []) {
        if (!Number.isFinite(level.value) || (this.logY && level.value <= 0)) continue;
        out.push({
          label: level.label,
          data: [
            { x: xMin, y: level.value },
            { x: xMax, y: level.value },
          ],
          borderColor: this.theme.muted,
          borderWidth: 1,
          borderDash: [2, 3],
          pointRadius: 0,
        });
      }
    }
    return out;
  }

  private configureScales(): void {
    const { theme } = this;
    const key = JSON.stringify([this.logX, this.logY, this.window, theme]);
    if (key === this.configured) return;
    this.configured = key;
    const axis = (label: string, log: boolean, window: { min: number; max: number } | null) => ({
      type: log ? ('logarithmic' as const) : ('linear' as const),
      title: { display: true, text: label, color: theme.muted, font: { family: theme.font, size: 11 } },
      ticks: {
        color: theme.muted,
        font: { family: theme.font, size: 11 },
        maxTicksLimit: 7,
        maxRotation: 0,
        autoSkipPadding: 12,
        callback: (value: string | number) => formatNumber(Number(value)),
      },
      grid: { color: theme.grid, lineWidth: theme.highContrast ? 0.5 : 1 },
      border: { color: theme.grid },
      ...(window ? { min: window.min, max: window.max } : {}),
    });
    this.chart.options.scales = {
      x: axis(this.options.xLabel, this.logX, this.window),
      y: axis(this.options.yLabel, this.logY, null),
    };
    if (this.chart.options.plugins?.tooltip) {
      Object.assign(this.chart.options.plugins.tooltip, {
        backgroundColor: theme.background,
        titleColor: theme.foreground,
        bodyColor: theme.foreground,
        borderColor: theme.grid,
        borderWidth: 1,
      });
    }
  }

  private listen(): void {
    this.canvas.addEventListener('pointerdown', (event) => this.startBrush(event));
    this.canvas.addEventListener('pointermove', (event) => this.moveBrush(event));
    this.canvas.addEventListener('pointerup', (event) => this.endBrush(event));
    this.canvas.addEventListener('pointercancel', () => this.cancelBrush());
    this.canvas.addEventListener('dblclick', () => this.zoomTo(null));
    this.canvas.addEventListener('keydown', (event) => this.onKey(event));
  }

  private startBrush(event: PointerEvent): void {
    if (event.button !== 0) return;
    const box = document.createElement('div');
    box.className = 'brush';
    this.host.append(box);
    this.drag = { start: event.offsetX, box };
    this.canvas.setPointerCapture(event.pointerId);
  }

  private moveBrush(event: PointerEvent): void {
    if (!this.drag) return;
    const from = Math.min(this.drag.start, event.offsetX);
    this.drag.box.style.left = `${from}px`;
    this.drag.box.style.width = `${Math.abs(event.offsetX - this.drag.start)}px`;
  }

  private endBrush(event: PointerEvent): void {
    if (!this.drag) return;
    const { start } = this.drag;
    this.cancelBrush();
    if (Math.abs(event.offsetX - start) < 6) return;
    const scale = this.chart.scales['x'];
    const a = scale.getValueForPixel(Math.min(start, event.offsetX));
    const b = scale.getValueForPixel(Math.max(start, event.offsetX));
    if (a !== undefined && b !== undefined && b > a) this.zoomTo({ min: a, max: b });
  }

  private cancelBrush(): void {
    this.drag?.box.remove();
    this.drag = null;
  }

  private onKey(event: KeyboardEvent): void {
    const scale = this.chart.scales['x'];
    const span = scale.max - scale.min;
    const moves: Record<string, () => { min: number; max: number } | null> = {
      '+': () => ({ min: scale.min + span / 4, max: scale.max - span / 4 }),
      '-': () => ({ min: scale.min - span / 2, max: scale.max + span / 2 }),
      ArrowLeft: () => ({ min: scale.min - span / 8, max: scale.max - span / 8 }),
      ArrowRight: () => ({ min: scale.min + span / 8, max: scale.max + span / 8 }),
      '0': () => null,
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    this.zoomTo(move());
  }

  private zoomTo(window: { min: number; max: number } | null): void {
    this.window = window;
    this.host.dispatchEvent(new CustomEvent('zoom', { detail: window, bubbles: true }));
    this.draw();
  }
}
