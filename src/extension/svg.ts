/** Small pictures for hovers: they must read on light and dark alike, so they bring their own quiet colours. */
interface Options {
  readonly log?: boolean;
  readonly label: string;
}

const width = 260;
const height = 70;
const ink = '#3b82c4';

function heights(values: readonly number[], log: boolean): number[] {
  const map = (v: number) => (log ? Math.log10(Math.max(v, Number.MIN_VALUE)) : v);
  const all = values.map(map);
  const low = Math.min(...all);
  const high = Math.max(...all);
  return all.map((v) => (high > low ? (v - low) / (high - low) : 0.5));
}

const frame = (label: string, inside: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + 16}"><text x="0" y="11" font-family="sans-serif" font-size="11" fill="#888">${label}</text>${inside}</svg>`;

export function barChart(values: readonly number[], { log = false, label }: Options): string {
  const shown = values.slice(0, 64);
  const step = width / Math.max(1, shown.length);
  const bars = heights(shown, log)
    .map((h, i) => {
      const tall = 2 + h * (height - 4);
      return `<rect x="${(i * step).toFixed(1)}" y="${(16 + height - tall).toFixed(1)}" width="${Math.max(1, step - 1).toFixed(1)}" height="${tall.toFixed(1)}" fill="${ink}"/>`;
    })
    .join('');
  return frame(label, bars);
}

export function lineChart(values: readonly number[], { log = false, label }: Options): string {
  const finite = values.filter((v) => Number.isFinite(v) && (!log || v > 0));
  const every = Math.max(1, Math.floor(finite.length / 200));
  const shown = finite.filter((_, i) => i % every === 0 || i === finite.length - 1);
  const points = heights(shown, log)
    .map(
      (h, i) =>
        `${((i * width) / Math.max(1, shown.length - 1)).toFixed(1)},${(14 + (1 - h) * (height - 4)).toFixed(1)}`,
    )
    .join(' ');
  return frame(label, `<polyline points="${points}" fill="none" stroke="${ink}" stroke-width="1.5"/>`);
}
