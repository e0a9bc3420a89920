import type { Theme } from '../theme.js';
import type { XyChart } from './axes.js';
import { placeOf } from './overlay.js';
import type { Level } from './series.js';

export const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

export interface SvgFrame {
  readonly title: string;
  readonly subtitle: string;
  readonly theme: Theme;
  readonly width: number;
  /** Of the picture below the title. */
  readonly height: number;
}

const head = 44;

/** A picture with its title above: `body` is drawn in a coordinate system of its own below the title. */
export function svgPicture({ title, subtitle, theme, width, height }: SvgFrame, body: string): string {
  const all = height + head + 8;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${all}" width="${width}" height="${all}" font-family="${escapeXml(theme.font)}" font-size="11">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="${theme.background}"/>`,
    `<text x="12" y="19" font-size="14" font-weight="600" fill="${theme.foreground}">${escapeXml(title)}</text>`,
    `<text x="12" y="35" fill="${theme.muted}">${escapeXml(subtitle)}</text>`,
    `<g transform="translate(0 ${head})">`,
    body,
    '</g>',
    '</svg>',
  ].join('\n');
}

export const svgText = (
  x: number,
  y: number,
  anchor: 'start' | 'middle' | 'end',
  value: string,
  color: string,
): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${color}">${escapeXml(value)}</text>`;

export interface ChartText {
  readonly title: string;
  readonly subtitle: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly theme: Theme;
  readonly levels: readonly Level[];
}

/** The chart as it stands on the canvas, as a vector picture: axes, grid, levels, lines, legend. */
export function lineChartSvg(chart: XyChart, text: ChartText): string {
  const { theme } = text;
  const { datasets } = chart.data;
  const parts = [...axes(chart, text), ...levels(chart, text)];
  for (const set of [...datasets].reverse()) parts.push(linePath(chart, set));
  for (const [i, set] of datasets.entries()) {
    const y = chart.height + 14 + 18 * i;
    const left = chart.chartArea.left;
    parts.push(
      `<line x1="${left}" y1="${y - 4}" x2="${left + 22}" y2="${y - 4}" stroke="${String(set.borderColor)}" stroke-width="2"${dashes(set.borderDash)}/>`,
      svgText(left + 28, y, 'start', set.label ?? '', theme.muted),
    );
  }
  const height = chart.height + 10 + 18 * datasets.length;
  return svgPicture({ ...text, width: chart.width, height }, parts.join('\n'));
}

type DataSet = XyChart['data']['datasets'][number];

const dashes = (dash: unknown): string =>
  Array.isArray(dash) && dash.length > 0 ? ` stroke-dasharray="${dash.join(' ')}"` : '';

function axes(chart: XyChart, { theme, xLabel, yLabel }: ChartText): string[] {
  const { left, right, top, bottom } = chart.chartArea;
  const parts: string[] = [];
  const { x: xScale, y: yScale } = chart.scales;
  for (const [i, tick] of xScale.ticks.entries()) {
    const x = xScale.getPixelForTick(i);
    parts.push(`<line x1="${x}" y1="${top}" x2="${x}" y2="${bottom}" stroke="${theme.grid}"/>`);
    parts.push(svgText(x, bottom + 14, 'middle', String(tick.label ?? ''), theme.muted));
  }
  for (const [i, tick] of yScale.ticks.entries()) {
    const y = yScale.getPixelForTick(i);
    parts.push(`<line x1="${left}" y1="${y}" x2="${right}" y2="${y}" stroke="${theme.grid}"/>`);
    parts.push(svgText(left - 6, y + 4, 'end', String(tick.label ?? ''), theme.muted));
  }
  parts.push(svgText((left + right) / 2, chart.height - 3, 'middle', xLabel, theme.muted));
  const middle = (top + bottom) / 2;
  parts.push(
    `<g transform="rotate(-90 11 ${middle})">${svgText(11, middle, 'middle', yLabel, theme.muted)}</g>`,
  );
  return parts;
}

function levels(chart: XyChart, { levels: all, theme }: ChartText): string[] {
  const { left, right } = chart.chartArea;
  return all.flatMap((level) => {
    const y = placeOf(chart, level);
    if (y === null) return [];
    return [
      `<line x1="${left}" y1="${y}" x2="${right}" y2="${y}" stroke="${theme.muted}" stroke-dasharray="2 3"/>`,
      svgText(right - 4, level.under ? y + 12 : y - 4, 'end', level.label, theme.muted),
    ];
  });
}

function linePath(chart: XyChart, set: DataSet): string {
  const { x: xScale, y: yScale } = chart.scales;
  const color = String(set.borderColor);
  const place = (p: { x: number; y: number }) =>
    [xScale.getPixelForValue(p.x), yScale.getPixelForValue(p.y)] as const;
  const finite = set.data.map(place).map((p) => (p.every(Number.isFinite) ? p : null));
  if (set.showLine === false)
    return finite
      .flatMap((p) =>
        p ? [`<circle cx="${p[0].toFixed(1)}" cy="${p[1].toFixed(1)}" r="3" fill="${color}"/>`] : [],
      )
      .join('\n');
  let path = '';
  let pen = false;
  for (const p of finite) {
    if (p) path += `${pen ? 'L' : 'M'}${p[0].toFixed(1)} ${p[1].toFixed(1)}`;
    pen = p !== null;
  }
  if (!path) return '';
  const fill = set.fill ? String(set.backgroundColor) : 'none';
  return `<path d="${path}" fill="${fill}" stroke="${color}" stroke-width="${Number(set.borderWidth ?? 2)}"${dashes(set.borderDash)}/>`;
}
