import type { Regime } from '../protocol/records.js';
import {
  casesOf,
  classTasks,
  type Grid,
  heldOut,
  type Judgement,
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
  /** Shares: at the end, within the first tenth, before the first step. */
  readonly right: number;
  readonly rightEarly: number;
  readonly rightBefore: number;
  /** Lazy called rich or rich lazy, at either time. */
  readonly opposite: number;
  /** Verdict of the first tenth kept to the end. */
  readonly stable: number;
  /** Factor between the gap that the first tenth expects and the true one: median, and that of 19 in 20 runs. */
  readonly off: { readonly median: number; readonly most: number };
  /** Verdicts within the first tenth by the factor between the true gap and the nearer bar. */
  readonly byDistance: readonly {
    readonly from: number;
    readonly below: number;
    readonly runs: number;
    readonly right: number;
    readonly rightEarly: number;
  }[];
}

/** Factors from the nearer bar that are told apart. */
const distances = [1, 1.05, 1.2, 1.5, Number.POSITIVE_INFINITY] as const;

const share = (part: number, whole: number): number => (whole === 0 ? Number.NaN : part / whole);
const corners = (m: readonly (readonly number[])[]): number => m[0][2] + m[2][0];

export function scoreOf(runs: readonly RegimeRun[]): RegimeScore {
  const judgements = runs.map(judge);
  const table = (told: (j: Judgement) => Regime) =>
    judged.map((truth) =>
      judged.map((regime) => judgements.filter((j) => j.truth === truth && told(j) === regime).length),
    );
  const [confusion, early] = [table((j) => j.verdict), table((j) => j.early)];
  const part = (of: readonly Judgement[], holds: (j: Judgement) => boolean) =>
    share(of.filter(holds).length, of.length);
  const off = judgements.map((j) => j.off).sort((a, b) => a - b);
  return {
    runs: runs.length,
    confusion,
    early,
    right: part(judgements, (j) => j.verdict === j.truth),
    rightEarly: part(judgements, (j) => j.early === j.truth),
    rightBefore: part(judgements, (j) => j.before === j.truth),
    opposite: share(corners(confusion) + corners(early), 2 * runs.length),
    stable: part(judgements, (j) => j.stable),
    off: { median: off[Math.floor(off.length / 2)], most: off[Math.floor(0.95 * (off.length - 1))] },
    byDistance: distances.slice(0, -1).map((from, i) => {
      const there = judgements.filter((j) => j.clear >= from && j.clear < distances[i + 1]);
      return {
        from,
        below: distances[i + 1],
        runs: there.length,
        right: part(there, (j) => j.verdict === j.truth),
        rightEarly: part(there, (j) => j.early === j.truth),
      };
    }),
  };
}

export interface RegimeReport {
  /** On the tasks that the rule was made on, with other seeds than it was made on. */
  readonly known: RegimeScore;
  /** On tasks that it has never seen. */
  readonly heldOut: RegimeScore;
  /** On tasks of several outputs; absent where there were none. */
  readonly classes?: RegimeScore;
  readonly runs: readonly RegimeRun[];
}

export interface RegimeBenchOptions {
  readonly widths: readonly number[];
  readonly exponents: readonly number[];
  readonly seeds: readonly number[];
  readonly samples: number;
  /** Numbers of probe inputs; all training inputs when absent. */
  readonly probes?: readonly number[];
  /** Tasks of several outputs too. */
  readonly classes?: boolean;
  /** Deep networks too. */
  readonly deep?: boolean;
  readonly onProgress?: (fraction: number, text: string) => void;
  readonly signal?: AbortSignal;
}

/** Judges the verdict over the whole grid: scales, widths, tasks, plain and symmetric starts. */
export async function benchRegime(options: RegimeBenchOptions): Promise<RegimeReport> {
  const several = options.classes ? Object.keys(classTasks) : [];
  const tasks = [...tunedOn, ...heldOut, ...several];
  const grid: Grid = { ...options, tasks, starts: ['gaussian', 'symmetric'] };
  const cases = casesOf(grid);
  const runs: RegimeRun[] = [];
  for (const [i, chosen] of cases.entries()) {
    options.onProgress?.(i / cases.length, `${chosen.task}, m = ${chosen.width}, m^${chosen.exponent}`);
    runs.push(await runCase(chosen, options.samples, options.signal));
  }
  return {
    known: scoreOf(runs.filter((r) => tunedOn.includes(r.task))),
    heldOut: scoreOf(runs.filter((r) => heldOut.includes(r.task))),
    ...(several.length > 0 ? { classes: scoreOf(runs.filter((r) => several.includes(r.task))) } : {}),
    runs,
  };
}
