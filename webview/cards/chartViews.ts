import { LineChart, type LineChartOptions } from '../charts/lineChart.js';
import type { Series } from '../charts/series.js';
import type { Scene } from './card.js';

/** Charts of which a card shows one at a time. */
export class ChartViews<View extends string> {
  private readonly charts: Record<View, LineChart>;

  constructor(
    host: HTMLElement,
    options: Readonly<Record<View, LineChartOptions>>,
    public view: View,
  ) {
    this.charts = Object.fromEntries(
      Object.entries<LineChartOptions>(options).map(([name, o]) => [name, new LineChart(host, o)]),
    ) as Record<View, LineChart>;
    this.showOnly();
  }

  get shown(): LineChart {
    return this.charts[this.view];
  }

  of(view: View): LineChart {
    return this.charts[view];
  }

  /** Draws the series of the view that is shown; those over the steps follow the page's window and step. */
  draw(scene: Scene, series: readonly Series[], overSteps: boolean): void {
    this.showOnly();
    const chart = this.shown;
    chart.applyTheme(scene.theme);
    if (overSteps) {
      chart.logX = scene.logSteps;
      chart.setWindow(scene.window);
      chart.setCursor(scene.step);
    }
    chart.setSeries(series);
    chart.draw();
  }

  describe(text: string): void {
    for (const chart of Object.values<LineChart>(this.charts)) chart.describe(text);
  }

  dispose(): void {
    for (const chart of Object.values<LineChart>(this.charts)) chart.dispose();
  }

  private showOnly(): void {
    for (const [name, chart] of Object.entries<LineChart>(this.charts))
      chart.canvas.hidden = name !== this.view;
  }
}
