import { median } from '../core/stats/index.js';
import { peakMB, resetPeak } from './memory.js';
import type { Timing } from './peer.js';

/** Runs `work` once and measures it. */
export async function timed(work: () => Promise<void>): Promise<Timing> {
  resetPeak();
  const start = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000, peakMB: peakMB() };
}

/** Median and least milliseconds, least processor time, most memory. */
export function summary(timings: readonly Timing[]) {
  return {
    ms: median(timings.map((t) => t.ms)),
    fastestMs: Math.min(...timings.map((t) => t.ms)),
    cpuMs: Math.min(...timings.map((t) => t.cpuMs)),
    peakMB: Math.max(...timings.map((t) => t.peakMB ?? 0)),
  };
}

const [mostWarmUps, warmUpMs] = [8, 300];

/** Runs `work` until what compiles while it runs has been compiled: some times, or for some time. */
export async function warmUp(work: () => Promise<void>): Promise<void> {
  const start = performance.now();
  for (let k = 0; k < mostWarmUps && (k === 0 || performance.now() - start < warmUpMs); k++) await work();
}
