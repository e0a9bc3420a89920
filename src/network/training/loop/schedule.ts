/**
 * Steps at which kernels are measured: 0, then log-spaced up to the last step, `count` in all, and every `every` steps
 * beside. Fixed before the run starts, so that throttling never changes what is comparable between runs.
 */
export function kernelSteps(steps: number, count: number, every?: number): ReadonlySet<number> {
  const out = new Set<number>();
  if (count <= 0) return out;
  out.add(0);
  for (let i = 1; i < count; i++) out.add(Math.round((steps + 1) ** (i / (count - 1))) - 1);
  out.add(steps);
  if (every) for (let s = 0; s <= steps; s += every) out.add(s);
  return out;
}

/** Steps between metrics rows: about 2,000 rows over the run. */
export const metricsCadence = (steps: number, chosen?: number): number =>
  chosen ?? Math.max(1, Math.ceil(steps / 2000));

/** Largest share of the plain training time that evaluations may take, and how many there are at most and at least. */
const evaluationShare = 0.02;
const evaluationCounts = [8, 100] as const;

/**
 * Steps between rows that evaluate the test set too, a multiple of `rowEvery`. Follows from the sizes alone (a forward
 * pass and what is read of it cost half of a step), never from the clock, so that it is the same for equal runs.
 */
export function evaluationCadence(steps: number, rowEvery: number, batch: number, evaluated: number): number {
  const [least, most] = evaluationCounts;
  const affordable = (evaluationShare * steps * 2 * batch) / Math.max(1, evaluated);
  const count = Math.min(most, Math.max(least, Math.floor(affordable)));
  return rowEvery * Math.max(1, Math.ceil(steps / rowEvery / count));
}

/**
 * Whether the row of a step evaluates the test set too: at every multiple of the cadence `every`, and before the first one
 * at doubling steps, since most happens there and a straight line across it would show a gap that is none.
 */
export function evaluatesAt(step: number, rowEvery: number, every: number): boolean {
  if (step % every === 0) return true;
  const row = step / rowEvery;
  return step < every && Number.isInteger(row) && Number.isInteger(Math.log2(row));
}

/** Steps between checkpoints: ten over the run. */
export const checkpointCadence = (steps: number, chosen?: number): number =>
  chosen ?? Math.max(1, Math.ceil(steps / 10));
