const bars = '▁▂▃▄▅▆▇█';

export interface SparklineOptions {
  /** Most characters (default 10). */
  readonly width?: number;
  /** Space the picked points evenly in the logarithm of their index: for spectra, whose first values matter most. */
  readonly logIndex?: boolean;
  /** Smaller values are drawn as the lowest bar (default: the smallest value). */
  readonly floor?: number;
}

/** A few bars of text for a series, on a log scale when it is positive and spans more than a decade. */
export function sparkline(values: ArrayLike<number>, options: SparklineOptions = {}): string {
  const { width = 10, logIndex = false, floor = -Infinity } = options;
  const all = Array.from(values)
    .filter(Number.isFinite)
    .map((v) => Math.max(v, floor));
  if (all.length === 0) return '';
  const count = Math.min(width, all.length);
  const last = all.length - 1;
  const indexOf = (i: number): number => {
    const share = i / Math.max(1, count - 1);
    // A short head would be picked twice on a log axis: point i comes no earlier than index i.
    return logIndex ? Math.max(i, Math.round(all.length ** share - 1)) : Math.floor(share * last);
  };
  const picked = Array.from({ length: count }, (_, i) => all[indexOf(i)]);
  const low = Math.min(...picked);
  const high = Math.max(...picked);
  const log = low > 0 && high / low > 10;
  const at = (v: number) =>
    log ? Math.log(v / low) / Math.log(high / low) : high > low ? (v - low) / (high - low) : 0;
  return picked.map((v) => bars[Math.round(at(v) * (bars.length - 1))]).join('');
}
