import { driftBars, gapBars, regimeBy, regimeScore } from '../../../core/measures/regimeBars.js';
import { say } from '../../../core/say.js';
import type { RegimeEvidence as Evidence, RegimeRecord } from '../../../protocol/records.js';
import type { TrainingForm } from '../loop/trainingForm.js';

/** What is known of a run when the verdict is given. Absent values were not measured. */
export interface RegimeEvidence {
  /** |Theta_t - Theta_0|_F / |Theta_0|_F on the probe set. */
  readonly drift?: number;
  /** Relative movement over all trainable weights. */
  readonly movement?: number;
  /** C(y) now divided by C(y) at the start. */
  readonly costRatio?: number;
  /** Largest relative distance of network and linearised twin on the probe set so far, of a twin that takes the run's steps. */
  readonly twinGap?: number;
  /** Largest relative distance from the linearisation so far, by the kernels (see RegimeWatch). */
  readonly gap?: number;
  /** What it will be at the end of the run, by descent ahead. */
  readonly expected?: number;
  /** The run has come to its end. */
  readonly over?: boolean;
  readonly learningRate?: number;
  readonly maxStep?: number;
  readonly optimizer?: string;
  readonly loss?: string;
  /** What training does beyond descending along the loss. */
  readonly form?: Pick<TrainingForm, 'differs' | 'random' | 'penalised'>;
  readonly steps?: number;
}

const short = (v: number): string => String(Number(v.toPrecision(2)));
const percent = (share: number): string => `${short(100 * share)} %`;

/**
 * Largest gap that the whole run is expected to reach: by the kernels so far and what was foreseen, and by the linearised
 * twin where there is one; undefined where no gap is known. The gap of now is a lower bound: late in a run both fit the
 * targets and it shrinks.
 */
export function expectedGap({ gap, expected, twinGap, over }: RegimeEvidence): number | undefined {
  if (gap === undefined) return twinGap;
  return Math.max(gap, twinGap ?? 0, over ? 0 : (expected ?? 0));
}

/**
 * Verdict lazy, rich or in between, with its reasons. It rests on the gap between network and linearisation: measured so
 * far, and as foreseen for the rest of the run. Where no gap is known, on the kernel's drift so far. Movement and task cost
 * are witnesses. Never on alignment, which can fall while features are learnt.
 */
export function regimeVerdict(e: RegimeEvidence): Omit<RegimeRecord, 'kind' | 'step'> {
  const limits = whereTheoryEnds(e);
  const gap = expectedGap(e);
  const value = gap ?? e.drift;
  if (value === undefined)
    return { regime: 'undetermined', reasons: ['The kernel has not been measured twice yet.', ...limits] };
  const bars = gap === undefined ? driftBars : gapBars;
  const grounds = [byGap(e), byDrift(e, gap === undefined), byTwin(e), byMovement(e)];
  return {
    regime: regimeBy(value, bars),
    score: regimeScore(value, bars),
    evidence: grounds.flatMap((g) => g.evidence),
    reasons: [...grounds.flatMap((g) => g.reasons), ...limits],
  };
}

interface Grounds {
  readonly evidence: readonly Evidence[];
  readonly reasons: readonly string[];
}

const nothing: Grounds = { evidence: [], reasons: [] };

function byGap({ gap, expected, over }: RegimeEvidence): Grounds {
  if (gap === undefined) return nothing;
  const { lazy, rich } = gapBars;
  const evidence: Evidence[] = [{ name: 'gap', value: gap, ...gapBars }];
  const bars = say`up to ${percent(lazy)} is lazy, from ${percent(rich)} on rich`;
  if (over)
    return {
      evidence,
      reasons: [`Network and linearisation have parted by at most ${percent(gap)}; ${bars}.`],
    };
  if (expected === undefined)
    return {
      evidence,
      reasons: [
        `So far network and linearisation have parted by at most ${percent(gap)}; over a whole run ${bars}. Going through it ahead would take too much of it.`,
      ],
    };
  const most = Math.max(gap, expected);
  return {
    evidence: [...evidence, { name: 'expectedGap', value: most, ...gapBars }],
    reasons: [
      `Simulated before training, the network departs from its linearisation by at most ${percent(most)} over the whole run; ${bars}.`,
      `So far they have parted by at most ${percent(gap)}.`,
    ],
  };
}

/** The drift, which judges where nothing better is known. */
function byDrift({ drift }: RegimeEvidence, judges: boolean): Grounds {
  if (drift === undefined) return nothing;
  if (!judges) return { evidence: [], reasons: [`The kernel has drifted by ${percent(drift)}.`] };
  const { lazy, rich } = driftBars;
  return {
    evidence: [{ name: 'drift', value: drift, ...driftBars }],
    reasons: [
      `The kernel has drifted by ${percent(drift)} so far; up to ${percent(lazy)} is lazy, from ${percent(rich)} on rich. How far the network is from its linearisation is not known of such a run.`,
    ],
  };
}

function byTwin({ twinGap }: RegimeEvidence): Grounds {
  if (twinGap === undefined) return nothing;
  const { lazy, rich } = gapBars;
  return {
    evidence: [{ name: 'twinGap', value: twinGap, ...gapBars }],
    reasons: [
      `Network and linearised twin have parted by at most ${percent(twinGap)} on the probe set; up to ${percent(lazy)} is lazy, from ${percent(rich)} on rich.`,
    ],
  };
}

function byMovement({ movement, costRatio }: RegimeEvidence): Grounds {
  return {
    evidence: movement === undefined ? [] : [{ name: 'movement', value: movement, lazy: 0.1, rich: 0.8 }],
    reasons: [
      ...(movement === undefined ? [] : [`The weights have moved by ${percent(movement)} of their size.`]),
      ...(costRatio !== undefined && costRatio < 0.5
        ? [
            `The task costs the kernel ${short(1 / costRatio)} times less than at the start: features are learnt.`,
          ]
        : []),
    ],
  };
}

function whereTheoryEnds(e: RegimeEvidence): string[] {
  const out: string[] = [];
  if (e.learningRate !== undefined && e.maxStep !== undefined && e.learningRate > e.maxStep)
    out.push(
      `The step size ${short(e.learningRate)} is above the stable ${short(e.maxStep)}: the kernel’s predictions do not apply.`,
    );
  if (e.optimizer === 'adam') out.push('Adam rescales every weight: kernel dynamics do not describe it.');
  if (e.optimizer === 'momentum')
    out.push(
      'With momentum the decay per mode differs from plain gradient descent; the run is taken as a flow that is 1 / (1 − momentum) times as fast.',
    );
  if (e.loss === 'crossEntropy' && (e.steps ?? 0) > 1000)
    out.push(
      'Under cross-entropy the outputs grow without bound in a long run; every finite network leaves the kernel regime in the end.',
    );
  if (e.form?.random)
    out.push('Training draws at random (dropout or noise); the kernel is that of the inference form.');
  else if (e.form?.differs)
    out.push(
      'Training runs another form of the network (statistics of the batch, or a fixed mask); the kernel is that of the inference form.',
    );
  if (e.form?.penalised.length)
    out.push(
      `Regularisers of ${e.form.penalised.join(', ')} add to the gradient: the kernel’s predictions are without them.`,
    );
  return out;
}
