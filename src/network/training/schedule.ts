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

/** Steps between checkpoints: ten over the run. */
export const checkpointCadence = (steps: number, chosen?: number): number =>
  chosen ?? Math.max(1, Math.ceil(steps / 10));
