import type { Chart } from 'chart.js';
import type { Theme } from '../theme.js';

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** The chart as it stands on the canvas, as a vector picture: axes, grid, lines, legend. */
export function lineChartSvg(
  chart: Chart<'line', { x: number; y: number }[]>,
  theme: Theme,
  title: string,
  labels: { readonly xLabel: string; readonly yLabel: string },
): string {
  const { left, right, top, bottom } = chart.chartArea;
  const xScale = chart.scales['x'];
  const yScale = chart.scales['y'];
  const legendHeight = 18 * chart.data.datasets.length;
  const height = chart.height + 26 + legendHeight;
  const parts: string[] = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -26 ${chart.width} ${height}" width="${chart.width}" height="${height}" font-family="${escapeXml(theme.font)}" font-size="11">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect x="0" y="-26" width="100%" height="${height}" fill="${theme.background}"/>`,
    `<text x="${left}" y="-9" font-size="13" font-weight="600" fill="${theme.foreground}">${escapeXml(title)}</text>`,
  ];
  const text = (x: number, y: number, anchor: string, value: string) =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${theme.muted}">${escapeXml(value)}</text>`;
  for (const [i, tick] of xScale.ticks.entries()) {
    const x = xScale.getPixelForTick(i);
    parts.push(`<line x1="${x}" y1="${top}" x2="${x}" y2="${bottom}" stroke="${theme.grid}"/>`);
    parts.push(text(x, bottom + 14, 'middle', String(tick.label ?? '')));
  }
  for (const [i, tick] of yScale.ticks.entries()) {
    const y = yScale.getPixelForTick(i);
    parts.push(`<line x1="${left}" y1="${y}" x2="${right}" y2="${y}" stroke="${theme.grid}"/>`);
    parts.push(text(left - 6, y + 4, 'end', String(tick.label ?? '')));
  }
  parts.push(text((left + right) / 2, chart.height - 3, 'middle', labels.xLabel));
  parts.push(
    `<g transform="rotate(-90 10 ${(top + bottom) / 2})">${text(10, (top + bottom) / 2, 'middle', labels.yLabel)}</g>`,
  );
  for (const [i, set] of chart.data.datasets.entries()) {
    const color = String(set.borderColor);
    const dash =
      Array.isArray(set.borderDash) && set.borderDash.length > 0
        ? ` stroke-dasharray="${set.borderDash.join(' ')}"`
        : '';
    let path = '';
    let pen = false;
    for (const point of set.data) {
      const x = xScale.getPixelForValue(point.x);
      const y = yScale.getPixelForValue(point.y);
      if (!Number.isFinite(x) || !Number.isFinite(y)) {
        pen = false;
        continue;
      }
      path += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      pen = true;
    }
    if (set.showLine === false) {
      for (const point of set.data) {
        const [x, y] = [xScale.getPixelForValue(point.x), yScale.getPixelForValue(point.y)];
        if (Number.isFinite(x) && Number.isFinite(y))
          parts.push(`<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="2.5" fill="${color}"/>`);
      }
    } else if (path) {
      parts.push(
        `<path d="${path}" fill="none" stroke="${color}" stroke-width="${Number(set.borderWidth ?? 1.5)}"${dash}/>`,
      );
    }
    const y = chart.height + 12 + 18 * i;
    parts.push(
      `<line x1="${left}" y1="${y - 4}" x2="${left + 22}" y2="${y - 4}" stroke="${color}" stroke-width="2"${dash}/>`,
    );
    parts.push(text(left + 28, y, 'start', set.label ?? ''));
  }
  parts.push('</svg>');
  return parts.join('\n');
}
