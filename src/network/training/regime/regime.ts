import { say } from '../../../core/say.js';
import type { RegimeEvidence as Evidence, RegimeRecord } from '../../../protocol/records.js';
import type { TrainingForm } from '../loop/trainingForm.js';

/** What is known of a run when the verdict is given. Absent values were not measured. */
export interface RegimeEvidence {
  /** |Theta_t - Theta_0|_F / |Theta_0|_F on the probe set. */
  readonly drift?: number;
  /** |f_0 - y| / |y| on the probe set. */
  readonly startResidual?: number;
  /** Relative movement over all trainable weights. */
  readonly movement?: number;
  /** C(y) now divided by C(y) at the start. */
  readonly costRatio?: number;
  /** Relative distance of network and linearised twin on the probe set now. */
  readonly twinGap?: number;
  /** Largest relative distance from the linearisation so far, by the kernels (see RegimeWatch). */
  readonly gap?: number;
  /** What it will be at the end of the run, by going through it ahead. */
  readonly expected?: number;
  /** Those two are about a part of the training inputs alone, which is learnt sooner than all of them. */
  readonly partial?: boolean;
  /** The run has come to its end. */
  readonly over?: boolean;
  /** Share of the initial training loss that is left. */
  readonly lossLeft?: number;
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

/** Largest gap between network and linearised twin over a whole run that is still lazy, and the least that is rich. */
export const gapBars = { lazy: 0.05, rich: 0.2 } as const;

/** What the largest gap of a whole run says. */
export const regimeOfGap = (gap: number): 'lazy' | 'in between' | 'rich' =>
  gap <= gapBars.lazy ? 'lazy' : gap >= gapBars.rich ? 'rich' : 'in between';

/**
 * Where the kernels do not say how the run goes (cross-entropy, Adam): forecast of that gap by a kernel drift d, a residual s = |f_0 - y| / |y| at the start and the learnt share l of the
 * residual: factor * d^drift * s^start / l. Exponents fitted over 60 two-layer runs (`kernelscope bench regime`), which
 * they tell to within a factor of 1.4.
 */
const law = { factor: 0.21, drift: 0.6, start: 0.3 } as const;
/** Learnt share below which a forecast would divide by noise. */
const leastLearnt = 0.05;

const startFactor = (e: RegimeEvidence): number => Math.max(1, e.startResidual ?? 1) ** law.start;

/** Share of the residual that has been learnt: 1 - sqrt(loss left). */
const learntOf = ({ lossLeft }: RegimeEvidence): number =>
  lossLeft === undefined ? 1 : Math.max(leastLearnt, 1 - Math.sqrt(Math.min(1, Math.max(0, lossLeft))));

/** The drift at which a run that has been learnt reaches this gap. */
const driftAt = (gap: number, e: RegimeEvidence): number =>
  (gap / (law.factor * startFactor(e))) ** (1 / law.drift);

/** Largest gap that the whole run is expected to reach; undefined when neither kernel nor twin have been followed. */
export function expectedGap(e: RegimeEvidence): number | undefined {
  const { drift, twinGap, gap, expected } = e;
  // The gap of now is a lower bound: late in a run both fit the targets and it shrinks.
  if (gap !== undefined) {
    const byKernels = Math.max(gap, twinGap ?? 0, e.over ? 0 : (expected ?? 0));
    return e.partial && drift !== undefined ? Math.max(byKernels, gapByDrift(e, drift)) : byKernels;
  }
  if (drift === undefined) return twinGap;
  return Math.max(gapByDrift(e, drift), twinGap ?? 0);
}

const gapByDrift = (e: RegimeEvidence, drift: number): number =>
  (law.factor * Math.max(drift, 1e-9) ** law.drift * startFactor(e)) / learntOf(e);

/**
 * Verdict lazy, rich or in between, with its reasons. It rests on the gap between network and linearisation that the
 * whole run is expected to reach: by the kernels so far and by running ahead, else (and where these are about a part of the training inputs) by the kernel's drift, by how much is
 * left to learn and by the size of the start; and by the linearised twin where there is one. Movement and task cost are
 * witnesses. Never on alignment, which can fall while features are learnt.
 */
export function regimeVerdict(e: RegimeEvidence): Omit<RegimeRecord, 'kind' | 'step'> {
  const limits = whereTheoryEnds(e);
  const expected = expectedGap(e);
  if (expected === undefined)
    return { regime: 'undetermined', reasons: ['The kernel has not been measured twice yet.', ...limits] };
  const grounds = e.gap === undefined ? [] : [byKernels(e, e.gap)];
  if (e.gap === undefined || e.partial) grounds.push(byDrift(e, expected));
  else if (e.drift !== undefined)
    grounds.push({ evidence: [], reasons: [`The kernel has drifted by ${percent(e.drift)}.`] });
  const evidence = grounds.flatMap((g) => g.evidence);
  const reasons = grounds.flatMap((g) => g.reasons);
  const { lazy, rich } = gapBars;
  if (e.twinGap !== undefined) {
    evidence.push({ name: 'twinGap', value: e.twinGap, lazy, rich });
    reasons.push(
      `Network and linearised twin differ by ${percent(e.twinGap)} on the probe set; below ${percent(lazy)} is lazy, above ${percent(rich)} rich.`,
    );
  }
  if (e.movement !== undefined) {
    evidence.push({ name: 'movement', value: e.movement, lazy: 0.1, rich: 0.8 });
    reasons.push(`The weights have moved by ${percent(e.movement)} of their size.`);
  }
  if (e.costRatio !== undefined && e.costRatio < 0.5)
    reasons.push(
      `The task costs the kernel ${short(1 / e.costRatio)} times less than at the start: features are learnt.`,
    );
  const score = Math.log(Math.max(expected, 1e-9) / lazy) / Math.log(rich / lazy);
  return {
    regime: regimeOfGap(expected),
    score: Math.max(-0.5, Math.min(1.5, score)),
    evidence,
    reasons: [...reasons, ...limits],
  };
}

interface Grounds {
  readonly evidence: readonly Evidence[];
  readonly reasons: readonly string[];
}

function byKernels(e: RegimeEvidence, gap: number): Grounds {
  const expected = Math.max(gap, e.expected ?? 0);
  const { lazy, rich } = gapBars;
  const evidence: Evidence[] = [{ name: 'gap', value: gap, lazy, rich }];
  const reasons: string[] = [];
  const bars = say`up to ${percent(lazy)} is lazy, from ${percent(rich)} on rich`;
  if (e.over) reasons.push(`Network and linearisation have parted by at most ${percent(gap)}; ${bars}.`);
  else {
    evidence.push({ name: 'expectedGap', value: expected, lazy, rich });
    reasons.push(
      `Gone through ahead in a few leaps, the whole run parts network and linearisation by at most ${percent(expected)}; ${bars}.`,
      `So far they have parted by at most ${percent(gap)}.`,
    );
  }
  return { evidence, reasons };
}

function byDrift(e: RegimeEvidence, expected: number): Grounds {
  const evidence: Evidence[] = [];
  const reasons: string[] = [];
  if (e.drift !== undefined) {
    const bars = { lazy: driftAt(gapBars.lazy, e), rich: driftAt(gapBars.rich, e) };
    evidence.push({ name: 'drift', value: e.drift, ...bars });
    reasons.push(
      `The kernel has drifted by ${percent(e.drift)}; of a run that is over, below ${percent(bars.lazy)} is lazy, above ${percent(bars.rich)} rich.`,
    );
  }
  if (e.drift !== undefined && (e.lossLeft ?? 0) > 0.05)
    reasons.push(
      `By the end of the run network and linearisation are expected to part by some ${percent(expected)}.`,
    );
  return { evidence, reasons };
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
