import {
  casesOf,
  type Grid,
  heldOut,
  type Judged,
  judge,
  judged,
  type RegimeRun,
  runCase,
  tunedOn,
} from './regime.js';

/** How often verdicts are right on a set of runs. */
export interface RegimeScore {
  readonly runs: number;
  /** Rows are the truth (lazy, in between, rich), columns the verdict at the end; the same for that of the first tenth. */
  readonly confusion: readonly (readonly number[])[];
  readonly early: readonly (readonly number[])[];
  /** Shares. */
  readonly right: number;
  readonly rightEarly: number;
  /** Lazy called rich or rich lazy, at either time. */
  readonly opposite: number;
  /** Verdict of the first tenth kept to the end. */
  readonly stable: number;
}

const share = (part: number, whole: number): number => (whole === 0 ? Number.NaN : part / whole);
const diagonal = (m: readonly (readonly number[])[]): number => m.reduce((s, row, i) => s + row[i], 0);
const corners = (m: readonly (readonly number[])[]): number => m[0][2] + m[2][0];

export function scoreOf(runs: readonly RegimeRun[]): RegimeScore {
  const zeros = () => judged.map(() => judged.map(() => 0));
  const [confusion, early] = [zeros(), zeros()];
  let stable = 0;
  for (const run of runs) {
    const verdict = judge(run);
    const row = judged.indexOf(verdict.truth);
    confusion[row][judged.indexOf(verdict.verdict as Judged)]++;
    early[row][judged.indexOf(verdict.early as Judged)]++;
    if (verdict.stable) stable++;
  }
  return {
    runs: runs.length,
    confusion,
    early,
    right: share(diagonal(confusion), runs.length),
    rightEarly: share(diagonal(early), runs.length),
    opposite: share(corners(confusion) + corners(early), 2 * runs.length),
    stable: share(stable, runs.length),
  };
}

export interface RegimeReport {
  /** On the tasks that the rule was made on, with other seeds than it was made on. */
  readonly known: RegimeScore;
  /** On tasks that it has never seen. */
  readonly heldOut: RegimeScore;
  readonly runs: readonly RegimeRun[];
}

export interface RegimeBenchOptions {
  readonly widths: readonly number[];
  readonly exponents: readonly number[];
  readonly seeds: readonly number[];
  readonly samples: number;
  readonly onProgress?: (fraction: number, text: string) => void;
  readonly signal?: AbortSignal;
}

/** Judges the verdict over the whole grid: scales, widths, tasks, plain and symmetric starts. */
export async function benchRegime(options: RegimeBenchOptions): Promise<RegimeReport> {
  const grid: Grid = { ...options, tasks: [...tunedOn, ...heldOut], starts: ['gaussian', 'symmetric'] };
  const cases = casesOf(grid);
  const runs: RegimeRun[] = [];
  for (const [i, chosen] of cases.entries()) {
    options.onProgress?.(i / cases.length, `${chosen.task}, m = ${chosen.width}, m^${chosen.exponent}`);
    runs.push(await runCase(chosen, options.samples, options.signal));
  }
  return {
    known: scoreOf(runs.filter((r) => tunedOn.includes(r.task))),
    heldOut: scoreOf(runs.filter((r) => heldOut.includes(r.task))),
    runs,
  };
}
