/** A figure of a claim or of a reproduced experiment, as data: drawn as SVG by `figureSvg`. */
export interface FigureSeries {
  readonly label: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Measured points as dots, theory and fits as dashed lines, a range of values as a band from `lower` to y. */
  readonly style: 'line' | 'dashed' | 'dots' | 'band';
  readonly lower?: readonly number[];
  /** Series of one group share a colour; each has its own when absent. */
  readonly group?: number;
}

export interface Figure {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly logX?: boolean;
  readonly logY?: boolean;
  readonly series: readonly FigureSeries[];
}

const width = 460;
const height = 300;
const margin = { left: 62, right: 14, top: 34, bottom: 44 };
const colors = ['#0b66c3', '#b85c00', '#2f7d32', '#6f42c1', '#c02d2d', '#8a6d00', '#00838f', '#ad1457'];

const escapeXml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

function axis(values: readonly number[], log: boolean, from: number, to: number): Axis {
  const usable = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  const map = (v: number) => (log ? Math.log10(v) : v);
  let low = usable.length > 0 ? Math.min(...usable.map(map)) : 0;
  let high = usable.length > 0 ? Math.max(...usable.map(map)) : 1;
  if (high - low < 1e-12) {
    low -= 0.5;
    high += 0.5;
  }
  const pad = 0.04 * (high - low);
  low -= pad;
  high += pad;
  return {
    at: (v) => from + ((map(v) - low) / (high - low)) * (to - from),
    ticks: log ? logTicks(low, high) : linearTicks(low, high),
  };
}

function linearTicks(low: number, high: number): number[] {
  const raw = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= raw) ?? raw;
  const out: number[] = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step)
    out.push(Math.abs(v) < step * 1e-9 ? 0 : v);
  return out;
}

function logTicks(low: number, high: number): number[] {
  const out: number[] = [];
  const dense = high - low < 2;
  for (let e = Math.floor(low); e <= Math.ceil(high); e++) {
    for (const k of dense ? [1, 2, 5] : [1]) {
      const v = k * 10 ** e;
      if (Math.log10(v) >= low && Math.log10(v) <= high) out.push(v);
    }
  }
  const every = Math.ceil(out.length / 7);
  return out.filter((_, i) => i % every === 0);
}

const tickText = (value: number): string =>
  value !== 0 && (Math.abs(value) >= 1e4 || Math.abs(value) < 1e-3)
    ? value.toExponential(0).replace('e+', 'e')
    : String(Number(value.toPrecision(3)));

/** The figure as a self-contained SVG picture that follows the page's text colour (`currentColor`). */
export function figureSvg(figure: Figure): string {
  const x = axis(
    figure.series.flatMap((s) => s.x),
    figure.logX ?? false,
    margin.left,
    width - margin.right,
  );
  const y = axis(
    figure.series.flatMap((s) => [...s.y, ...(s.lower ?? [])]),
    figure.logY ?? false,
    height - margin.bottom,
    margin.top,
  );
  const legendHeight = 16 * figure.series.length;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeXml(figure.title)}" viewBox="0 0 ${width} ${height + legendHeight}" font-family="system-ui, sans-serif" font-size="11" fill="currentColor">`,
    `<text x="${margin.left}" y="18" font-size="13" font-weight="600">${escapeXml(figure.title)}</text>`,
  ];
  const bottom = height - margin.bottom;
  for (const tick of x.ticks) {
    const at = x.at(tick).toFixed(1);
    parts.push(
      `<line x1="${at}" y1="${margin.top}" x2="${at}" y2="${bottom}" stroke="currentColor" stroke-opacity=".15"/>`,
    );
    parts.push(`<text x="${at}" y="${bottom + 15}" text-anchor="middle">${tickText(tick)}</text>`);
  }
  for (const tick of y.ticks) {
    const at = y.at(tick);
    parts.push(
      `<line x1="${margin.left}" y1="${at.toFixed(1)}" x2="${width - margin.right}" y2="${at.toFixed(1)}" stroke="currentColor" stroke-opacity=".15"/>`,
    );
    parts.push(
      `<text x="${margin.left - 6}" y="${(at + 4).toFixed(1)}" text-anchor="end">${tickText(tick)}</text>`,
    );
  }
  parts.push(
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 10}" text-anchor="middle">${escapeXml(figure.xLabel)}</text>`,
  );
  parts.push(
    `<text transform="rotate(-90 14 ${(margin.top + bottom) / 2})" x="14" y="${(margin.top + bottom) / 2}" text-anchor="middle">${escapeXml(figure.yLabel)}</text>`,
  );
  for (const [i, series] of figure.series.entries()) {
    const color = colors[(series.group ?? i) % colors.length];
    const points: [number, number][] = [];
    for (let k = 0; k < series.x.length; k++) {
      const [px, py] = [x.at(series.x[k]), y.at(series.y[k])];
      if (Number.isFinite(px) && Number.isFinite(py)) points.push([px, py]);
    }
    if (series.style === 'dots') {
      for (const [px, py] of points)
        parts.push(`<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="3" fill="${color}"/>`);
    } else if (series.style === 'band') {
      const below = series.x
        .map((v, k): [number, number] => [x.at(v), y.at(series.lower?.[k] ?? Number.NaN)])
        .filter(([, py]) => Number.isFinite(py));
      const outline = [...points, ...below.reverse()].map(([px, py]) => `${px.toFixed(1)},${py.toFixed(1)}`);
      parts.push(`<polygon points="${outline.join(' ')}" fill="${color}" fill-opacity=".18"/>`);
    } else if (points.length > 0) {
      const path = points
        .map(([px, py], k) => `${k === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`)
        .join('');
      const dash = series.style === 'dashed' ? ' stroke-dasharray="6 4"' : '';
      parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="1.6"${dash}/>`);
    }
    const ly = height + 16 * i + 6;
    parts.push(
      series.style === 'band'
        ? `<rect x="${margin.left}" y="${ly - 8}" width="22" height="8" fill="${color}" fill-opacity=".3"/>`
        : series.style === 'dots'
          ? `<circle cx="${margin.left + 11}" cy="${ly - 4}" r="3" fill="${color}"/>`
          : `<line x1="${margin.left}" y1="${ly - 4}" x2="${margin.left + 22}" y2="${ly - 4}" stroke="${color}" stroke-width="2"${series.style === 'dashed' ? ' stroke-dasharray="6 4"' : ''}/>`,
    );
    parts.push(`<text x="${margin.left + 28}" y="${ly}">${escapeXml(series.label)}</text>`);
  }
  parts.push('</svg>');
  return parts.join('\n');
}
