/**
 * Small pictures for hovers. They hold no text (the words beside them have the theme's colours), and inks that stand out
 * on light, dark and high-contrast grounds alike.
 */
const width = 300;
const height = 72;
/** Space for the strokes at the rim. */
const rim = 2;
const ink = '#3b82c4';
const second = '#c2701c';

export interface Line {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  readonly dashed?: boolean;
}

/** Most points of a line, most bars of a chart. */
const mostPoints = 200;
const mostBars = 64;

/** Maps positive values to 0..1, logarithmically. */
function logScale(values: readonly number[]): (value: number) => number {
  const low = Math.log(Math.min(...values));
  const high = Math.log(Math.max(...values));
  return (value) => (high > low ? (Math.log(value) - low) / (high - low) : 0.5);
}

const picture = (inside: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${inside}</svg>`;

const fixed = (v: number): string => v.toFixed(1);

/** Bars of positive values on a logarithmic scale; others are left out. */
export function barChart(values: readonly number[]): string {
  const shown = values.filter((v) => v > 0 && Number.isFinite(v)).slice(0, mostBars);
  if (shown.length === 0) return picture('');
  const scale = logScale(shown);
  const step = width / shown.length;
  const bars = shown.map((value, i) => {
    const tall = rim + scale(value) * (height - rim);
    return `<rect x="${fixed(i * step)}" y="${fixed(height - tall)}" width="${fixed(Math.max(1, step - 1))}" height="${fixed(tall)}" fill="${ink}"/>`;
  });
  return picture(bars.join(''));
}

/** Lines over the same axes, the second axis logarithmic: the first in blue, the others in brown. */
export function lineChart(lines: readonly Line[]): string {
  const kept = lines
    .map((line) => ({ ...line, points: pointsOf(line) }))
    .filter(({ points }) => points.length > 1);
  const all = kept.flatMap(({ points }) => points);
  if (all.length === 0) return picture('');
  const scale = logScale(all.map(([, y]) => y));
  const right = Math.max(...all.map(([x]) => x)) || 1;
  const drawn = kept.map(({ points, dashed }, i) => {
    const path = points
      .map(([x, y]) => `${fixed((x / right) * width)},${fixed(rim + (1 - scale(y)) * (height - 2 * rim))}`)
      .join(' ');
    return `<polyline points="${path}" fill="none" stroke="${i === 0 ? ink : second}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
  });
  return picture(drawn.reverse().join(''));
}

function pointsOf({ x, y }: Line): [number, number][] {
  const points = Array.from(x, (at, i): [number, number] => [at, y[i]]).filter(
    ([at, value]) => Number.isFinite(at) && Number.isFinite(value) && value > 0,
  );
  const every = Math.max(1, Math.ceil(points.length / mostPoints));
  return points.filter((_, i) => i % every === 0 || i === points.length - 1);
}

/** A picture as Markdown shows it, with the words that a screen reader says. */
export const markdownImage = (svg: string, words: string): string =>
  `![${words.replaceAll(/[[\]\n]/g, ' ')}](data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')})`;
