import type { Plugin } from 'chart.js';
import { type Theme, translucent } from '../theme.js';
import type { XyChart } from './axes.js';
import type { Level } from './series.js';

/** What lies over the lines of a chart: reference levels and the step that the page shows. */
export interface Overlay {
  readonly theme: Theme;
  readonly levels: readonly Level[];
  readonly cursor: number | null;
}

/** Draws the overlay around chart.js's own lines. */
export function overlayPlugin(current: () => Overlay): Plugin<'line'> {
  return {
    id: 'overlay',
    beforeDatasetsDraw: (chart) => drawShades(chart as XyChart, current()),
    afterDatasetsDraw: (chart) => {
      drawLevels(chart as XyChart, current());
      drawCursor(chart as XyChart, current());
    },
  };
}

/** Vertical place of a level, or null outside the plot. */
export function placeOf(chart: XyChart, level: Level): number | null {
  const scale = chart.scales['y'];
  if (!Number.isFinite(level.value) || (scale.type === 'logarithmic' && level.value <= 0)) return null;
  const y = scale.getPixelForValue(level.value);
  return y >= chart.chartArea.top && y <= chart.chartArea.bottom ? y : null;
}

function drawShades(chart: XyChart, { levels, theme }: Overlay): void {
  const { ctx, chartArea: area } = chart;
  for (const level of levels) {
    const y = level.below ? placeOf(chart, level) : null;
    if (y === null) continue;
    ctx.fillStyle = translucent(theme.muted, 0.13);
    ctx.fillRect(area.left, y, area.right - area.left, area.bottom - y);
  }
}

function drawLevels(chart: XyChart, { levels, theme }: Overlay): void {
  const { ctx, chartArea: area } = chart;
  ctx.save();
  ctx.font = `11px ${theme.font}`;
  ctx.lineWidth = 1;
  ctx.strokeStyle = ctx.fillStyle = theme.muted;
  ctx.setLineDash([2, 3]);
  for (const level of levels) {
    const y = placeOf(chart, level);
    if (y === null) continue;
    ctx.beginPath();
    ctx.moveTo(area.left, y);
    ctx.lineTo(area.right, y);
    ctx.stroke();
    const above = level.under ? area.bottom - y < 16 : y - area.top > 14;
    ctx.textAlign = 'right';
    ctx.textBaseline = above ? 'bottom' : 'top';
    ctx.fillText(level.label, area.right - 4, above ? y - 2 : y + 3);
  }
  ctx.restore();
}

function drawCursor(chart: XyChart, { cursor, theme }: Overlay): void {
  if (cursor === null) return;
  const { ctx, chartArea: area } = chart;
  const x = chart.scales['x'].getPixelForValue(cursor);
  if (!(x >= area.left - 1 && x <= area.right + 1)) return;
  ctx.save();
  ctx.strokeStyle = theme.foreground;
  ctx.globalAlpha = theme.highContrast ? 1 : 0.6;
  ctx.lineWidth = theme.highContrast ? 2 : 1;
  ctx.beginPath();
  ctx.moveTo(x, area.top);
  ctx.lineTo(x, area.bottom);
  ctx.stroke();
  ctx.restore();
}
