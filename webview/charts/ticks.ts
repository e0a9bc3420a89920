import { formatNumber, powerOfTen } from '../format.js';

/**
 * Ticks of a logarithmic axis between `low` and `high` (both positive): whole powers of ten, thinned to at most `most`;
 * 1, 2, 5 of each decade where the axis spans less than two; equal ratios within a fraction of a decade.
 */
export function logTicks(low: number, high: number, most: number): number[] {
  if (!(low > 0) || !(high > low)) return low > 0 ? [low] : [];
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const inside = (v: number) => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9);
  const powers = (factors: readonly number[], every = 1): number[] => {
    const out: number[] = [];
    const first = Math.ceil(Math.floor(from) / every) * every;
    for (let e = first; e <= Math.ceil(to); e += every)
      for (const f of factors) {
        // Read as text: 10 ** -5 is not the number nearest to it everywhere.
        const value = Number(`${f}e${e}`);
        if (inside(value)) out.push(value);
      }
    return out;
  };
  if (powers([1]).length >= 3) {
    // Floor of the first power may lie outside; then thinning starts at the next one.
    const every = Math.max(1, Math.ceil((Math.floor(to) - Math.ceil(from) + 1) / most));
    return powers([1], every);
  }
  for (const factors of [
    [1, 2, 5],
    [1, 2, 3, 5, 7],
  ]) {
    const found = powers(factors);
    if (found.length >= 3 && found.length <= most + 2) return found;
  }
  return linearTicks(low, high, most);
}

/** Round numbers between two ends, at most about `most`. */
export function linearTicks(low: number, high: number, most: number): number[] {
  const raw = (high - low) / Math.max(1, most - 1);
  if (!(raw > 0) || !Number.isFinite(raw)) return Number.isFinite(low) ? [low] : [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((s) => s >= raw * (1 - 1e-9)) ?? raw;
  const out: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++)
    out.push(Number((i * step).toPrecision(12)));
  return out;
}

/** Text of one tick; on a logarithmic axis whole powers of ten keep the raised form from 10⁴ and 10⁻³ on. */
export function tickText(value: number, log: boolean): string {
  if (log && value > 0) {
    const exponent = Math.log10(value);
    const whole = Math.round(exponent);
    if (Math.abs(exponent - whole) < 1e-9 && (whole >= 4 || whole <= -3)) return powerOfTen(whole);
  }
  return formatNumber(value, 3);
}
