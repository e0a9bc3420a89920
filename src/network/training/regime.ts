import type { RegimeEvidence as Evidence, Regime, RegimeRecord } from '../../protocol/records.js';

/** What is known of a run when the verdict is given. Absent values were not measured. */
export interface RegimeEvidence {
  /** |Theta_t - Theta_0|_F / |Theta_0|_F on the probe set. */
  readonly drift?: number;
  /** Relative movement over all trainable weights. */
  readonly movement?: number;
  /** C(y) now divided by C(y) at the start. */
  readonly costRatio?: number;
  /** Relative distance of network and linearised twin on the probe set so far. */
  readonly twinGap?: number;
  /** Share of the initial training loss that is left. */
  readonly lossLeft?: number;
  readonly learningRate?: number;
  readonly maxStep?: number;
  readonly optimizer?: string;
  readonly loss?: string;
  readonly normalised?: boolean;
  readonly steps?: number;
}

const short = (v: number): string => String(Number(v.toPrecision(2)));

/** log of the drift that a run is expected to end with, from the drift so far and how much is left to learn. */
function outlook(drift: number, lossLeft: number | undefined): number {
  if (lossLeft === undefined || lossLeft >= 1) return drift;
  // In both regimes drift follows the residual that has been learnt: 1 - sqrt(loss left).
  const learnt = Math.max(0.05, 1 - Math.sqrt(Math.max(0, lossLeft)));
  return drift / learnt;
}

/**
 * Verdict lazy, rich or in between, with its reasons. It rests on kernel drift, twin gap and movement together, with
 * task cost as a witness; never on alignment, which can fall while features are learnt.
 */
export function regimeVerdict(e: RegimeEvidence): Omit<RegimeRecord, 'kind' | 'step'> {
  const limits = whereTheoryEnds(e);
  if (e.drift === undefined && e.twinGap === undefined) {
    return { regime: 'undetermined', reasons: ['The kernel has not been measured twice yet.', ...limits] };
  }
  const reasons: string[] = [];
  const votes: number[] = [];
  const evidence: Evidence[] = [];
  const vote = (value: number, lazy: number, rich: number, weight: number) => {
    // 0 is lazy, 1 is rich, linear in the logarithm between the two bars.
    const at = (Math.log(Math.max(value, 1e-9)) - Math.log(lazy)) / (Math.log(rich) - Math.log(lazy));
    for (let i = 0; i < weight; i++) votes.push(Math.max(-0.5, Math.min(1.5, at)));
  };
  if (e.drift !== undefined) {
    const expected = outlook(e.drift, e.lossLeft);
    vote(expected, 0.08, 0.35, 2);
    evidence.push({ name: 'drift', value: e.drift, lazy: 0.08, rich: 0.35 });
    reasons.push(
      `The kernel has drifted by ${short(100 * e.drift)} %${expected > 1.3 * e.drift ? `, and will by some ${short(100 * expected)} % when the loss is gone` : ''}; below 8 % is lazy, above 35 % rich.`,
    );
  }
  if (e.twinGap !== undefined) {
    vote(e.twinGap, 0.05, 0.2, 2);
    evidence.push({ name: 'twinGap', value: e.twinGap, lazy: 0.05, rich: 0.2 });
    reasons.push(
      `Network and linearised twin differ by ${short(100 * e.twinGap)} % on the probe set; below 5 % is lazy, above 20 % rich.`,
    );
  }
  if (e.movement !== undefined) {
    vote(e.movement, 0.05, 0.4, 1);
    evidence.push({ name: 'movement', value: e.movement, lazy: 0.05, rich: 0.4 });
    reasons.push(`The weights have moved by ${short(100 * e.movement)} % of their size.`);
  }
  if (e.costRatio !== undefined && e.costRatio < 0.5) {
    votes.push(1.2);
    reasons.push(
      `The task costs the kernel ${short(1 / e.costRatio)} times less than at the start: features are learnt.`,
    );
  }
  const score = votes.reduce((a, b) => a + b, 0) / votes.length;
  const regime: Regime = score < 0.25 ? 'lazy' : score > 0.7 ? 'rich' : 'in between';
  return { regime, score, evidence, reasons: [...reasons, ...limits] };
}

function whereTheoryEnds(e: RegimeEvidence): string[] {
  const out: string[] = [];
  if (e.learningRate !== undefined && e.maxStep !== undefined && e.learningRate > e.maxStep)
    out.push(
      `The step size ${short(e.learningRate)} is above the stable ${short(e.maxStep)}: the kernel’s predictions do not apply.`,
    );
  if (e.optimizer === 'adam') out.push('Adam rescales every weight: kernel dynamics do not describe it.');
  if (e.optimizer === 'momentum')
    out.push('With momentum the decay per mode differs from plain gradient descent.');
  if (e.loss === 'crossEntropy' && (e.steps ?? 0) > 1000)
    out.push(
      'Under cross-entropy the outputs grow without bound in a long run; every finite network leaves the kernel regime in the end.',
    );
  if (e.normalised)
    out.push('Batch normalisation couples the samples of a batch; the kernel is that of the inference form.');
  return out;
}
