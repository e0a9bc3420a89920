import { readFileSync, writeFileSync } from 'node:fs';

/** Forgets the most memory this process has held so far. Does nothing where the system cannot. */
export function resetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Only Linux can.
  }
}

/** Most resident memory in MB since `resetPeak`; elsewhere than on Linux, since the process began. */
export function peakMB(): number {
  try {
    const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'));
    if (line) return Number(line[1]) / 1024;
  } catch {
    // Not Linux.
  }
  return process.resourceUsage().maxRSS / 1024;
}
