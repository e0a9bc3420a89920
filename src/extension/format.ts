/** Numbers as people read them: three digits, no exponent where it can be avoided. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace('e+', 'e');
  if (Number.isInteger(value)) return String(value);
  return String(Number(value.toPrecision(3)));
}

export const percent = (share: number, digits = 1): string => `${(100 * share).toFixed(digits)} %`;

const bars = '▁▂▃▄▅▆▇█';

/** A few bars of text for a series, on a log scale when it is positive and spans more than a decade. */
export function sparkline(values: ArrayLike<number>, width = 10): string {
  const all = Array.from(values).filter(Number.isFinite);
  if (all.length === 0) return '';
  const picked = Array.from(
    { length: Math.min(width, all.length) },
    (_, i) => all[Math.floor((i * (all.length - 1)) / Math.max(1, width - 1))],
  );
  const low = Math.min(...picked);
  const high = Math.max(...picked);
  const log = low > 0 && high / low > 10;
  const at = (v: number) =>
    log ? Math.log(v / low) / Math.log(high / low) : high > low ? (v - low) / (high - low) : 0;
  return picked.map((v) => bars[Math.round(at(v) * (bars.length - 1))]).join('');
}
