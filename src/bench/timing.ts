import { median } from '../core/stats/index.js';
import { peakMB, resetPeak } from './memory.js';
import type { Timing } from './peer.js';

/** A run shorter than this is preceded by one that is not timed. */
const shortMs = 1000;
/** Threads of a library wait actively for a while after a call, and would take a processor from the next one's. */
const restMs = 300;

/** Lets the threads of the one measured before go to sleep. */
export const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, restMs));

/** Runs `work` once and measures it; where it took little time at `last`, another run before it wakes threads and caches. */
export async function timed(work: () => Promise<void>, last?: Timing): Promise<Timing> {
  if (last && last.ms < shortMs) await work();
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
