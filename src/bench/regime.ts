import { gapBars, regimeOfGap } from '../core/measures/regimeBars.js';
import type { DataSpec, ModelSpec, StartName } from '../experiment/definition.js';
import { type Dataset, loadData } from '../network/data/index.js';
import { type BuiltModel, buildModel } from '../network/models/build.js';
import type * as tf from '../network/tf.js';
import { KernelProbe, largestStep, train } from '../network/training/index.js';
import type { Regime, RegimeRecord, RunRecord } from '../protocol/records.js';

export type Judged = 'lazy' | 'in between' | 'rich';
export const judged: readonly Judged[] = ['lazy', 'in between', 'rich'];

/** What the largest twin gap of a whole run says; the verdict, which is not told it, is judged by this. */
export const truthOf: (gap: number) => Judged = regimeOfGap;

type Teacher = Omit<Extract<DataSpec, { kind: 'teacher' }>, 'train' | 'test' | 'seed'>;

/** The tasks by name: the rule was made on the first six; the others only judge it. */
export const regimeTasks: Readonly<Record<string, Teacher>> = {
  interaction: { kind: 'teacher', dimension: 10, target: 'interaction', inputs: 'sphere' },
  ridge: { kind: 'teacher', dimension: 20, target: 'tanh', slope: 3 },
  difference: {
    kind: 'teacher',
    dimension: 5,
    target: 'network',
    neurons: { theta: [[1, -1, 0, 0, 0]], u: [1], activation: 'tanh' },
  },
  noisy: { kind: 'teacher', dimension: 10, target: 'tanh', slope: 1, noise: 0.3 },
  hinges: {
    kind: 'teacher',
    dimension: 12,
    target: 'network',
    neurons: {
      theta: [
        [1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 0, -1, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, -1, 0, 0, 0, 0],
      ],
      u: [1, -1, 1, -0.5],
      activation: 'relu',
    },
  },
  steep: { kind: 'teacher', dimension: 3, target: 'tanh', slope: 8 },
  waves: {
    kind: 'teacher',
    dimension: 3,
    target: 'network',
    neurons: {
      theta: [
        [1, 0, 0],
        [0, 0.7, 0.7],
      ],
      u: [1, 0.5],
      activation: 'sin',
    },
  },
  'three neurons': {
    kind: 'teacher',
    dimension: 8,
    target: 'network',
    neurons: {
      theta: [
        [1, 1, 0, 0, 0, 0, 0, 0],
        [0, 1, -1, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 1, -1, 0, 0],
      ],
      u: [1, -1, 0.7],
      activation: 'tanh',
    },
  },
  ripples: {
    kind: 'teacher',
    dimension: 2,
    target: 'network',
    neurons: {
      theta: [
        [2, 0],
        [0, 1.5],
      ],
      u: [1, 1],
      activation: 'sin',
    },
  },
  'wide ridge': { kind: 'teacher', dimension: 40, target: 'tanh', slope: 1.5, inputs: 'sphere' },
};
export const tunedOn: readonly string[] = ['interaction', 'ridge', 'difference', 'noisy', 'hinges', 'steep'];
export const heldOut: readonly string[] = ['waves', 'three neurons', 'ripples', 'wide ridge'];

type Classes = Extract<DataSpec, { kind: 'digits' | 'gaussianMixture' }>;

/** Tasks of several outputs: only judged. */
export const classTasks: Readonly<Record<string, Classes>> = {
  digits: { kind: 'digits' },
  'three classes': { kind: 'gaussianMixture', dimension: 6, classes: 3, separation: 1.5 },
  'ten classes': { kind: 'gaussianMixture', dimension: 40, classes: 10, separation: 3 },
};

export interface RegimeCase {
  readonly task: string;
  readonly width: number;
  /** alpha = m^t. */
  readonly exponent: number;
  readonly start: StartName;
  readonly seed: number;
  /** Probe inputs; all training inputs when absent. */
  readonly probes?: number;
  /** Two hidden layers of this width under the NTK parameterisation, which has no exponent. */
  readonly deep?: boolean;
}

/** The session's own verdict at one step. */
export interface Verdict {
  readonly step: number;
  readonly regime: Regime;
  /** Largest gap of the whole run that it expects. */
  readonly expected: number;
}

export interface RegimeRun extends RegimeCase {
  readonly steps: number;
  /** Largest gap between network and linearised twin along the run. */
  readonly gap: number;
  /** Given by the run itself, without a twin; the first one before the first step. */
  readonly verdicts: readonly Verdict[];
}

export interface Grid {
  readonly tasks: readonly string[];
  readonly widths: readonly number[];
  readonly exponents: readonly number[];
  readonly starts: readonly StartName[];
  readonly seeds: readonly number[];
  /** Numbers of probe inputs; all training inputs when absent. */
  readonly probes?: readonly number[];
  /** Deep networks too, which have one scale and one start. */
  readonly deep?: boolean;
}

export function casesOf(grid: Grid): RegimeCase[] {
  const { tasks, widths, exponents, starts, seeds, probes = [undefined] } = grid;
  const out: RegimeCase[] = [];
  for (const seed of seeds)
    for (const task of tasks)
      for (const count of probes) {
        const part = count === undefined ? {} : { probes: count };
        for (const start of starts)
          for (const width of widths)
            for (const exponent of exponents) out.push({ task, width, exponent, start, seed, ...part });
        if (grid.deep)
          for (const width of widths)
            out.push({ task, width, exponent: 0.5, start: 'gaussian', seed, ...part, deep: true });
      }
  return out;
}

/** Share of the largest stable step that the runs take: small, so that the first tenth of a run is many steps. */
const share = 0.1;

function networkOf({ width, exponent, start, seed, deep }: RegimeCase, data: Dataset): BuiltModel {
  const common = { activation: 'tanh', bias: false, train: 'all' } as const;
  const spec: ModelSpec = deep
    ? {
        ...common,
        kind: 'mlp',
        hidden: [width, width],
        parameterization: 'ntk',
        sigmaW: 1,
        sigmaB: 0,
        init: 'gaussian',
      }
    : {
        ...common,
        kind: 'twoLayer',
        width,
        scale: `m^${exponent}`,
        init: start,
        thetaStart: 'inverse-dimension',
      };
  return buildModel(spec, { inputShape: data.inputShape, outputs: data.outputs, seed });
}

function dataOf({ task, seed }: RegimeCase, samples: number): Dataset {
  const teacher = regimeTasks[task];
  // Balanced classes need a test set; nothing is made of it.
  const spec = teacher
    ? { ...teacher, train: samples, test: 0 }
    : { ...classTasks[task], train: samples, test: 20 };
  return loadData(spec, { folder: '.', seed, loss: 'mse' });
}

async function stableStep(built: BuiltModel, data: Dataset): Promise<number> {
  const probe = new KernelProbe(built.model, data, data.train.size, {});
  try {
    const rule = { loss: 'mse', optimizer: { kind: 'sgd', learningRate: 'auto' } } as const;
    return await largestStep(probe, rule, (x) => built.model.apply(x) as tf.Tensor2D);
  } finally {
    probe.dispose();
  }
}

/**
 * Trains one case to 1 % of its initial loss twice: once as a user would, for the verdicts, and once with the linearised
 * twin beside it, for the gap that they are judged by.
 */
export async function runCase(chosen: RegimeCase, samples: number, signal?: AbortSignal): Promise<RegimeRun> {
  const data = dataOf(chosen, samples);
  const records = async (twin: boolean): Promise<RunRecord[]> => {
    const built = networkOf(chosen, data);
    const out: RunRecord[] = [];
    try {
      const definition = {
        loss: 'mse',
        optimizer: { kind: 'sgd', learningRate: share * (await stableStep(built, data)) },
        steps: 3000,
        batch: 'full',
        probe: chosen.probes ?? samples,
        seed: chosen.seed,
        stop: { lossFraction: 0.01 },
        measure: { kernels: twin ? 32 : 24, twin, metricsEvery: 3000 },
      } as const;
      for await (const record of train({ built, data, definition }, { signal })) out.push(record);
    } finally {
      built.model.dispose();
    }
    signal?.throwIfAborted();
    return out;
  };
  const gaps = (await records(true)).map((r) => (r.kind === 'metrics' ? (r.values['twinGap'] ?? 0) : 0));
  const told = (await records(false)).filter((r): r is RegimeRecord => r.kind === 'regime');
  return {
    ...chosen,
    steps: told[told.length - 1].step,
    gap: Math.max(...gaps),
    verdicts: told.map(({ step, regime, evidence }) => ({ step, regime, expected: expectedBy(evidence) })),
  };
}

function expectedBy(evidence: RegimeRecord['evidence'] = []): number {
  const told = evidence.find((e) => e.name === 'expectedGap') ?? evidence.find((e) => e.name === 'gap');
  return told?.value ?? Number.NaN;
}

export interface Judgement {
  readonly truth: Judged;
  /** Verdict before the first step. */
  readonly before: Regime;
  /** Verdict at the last look. */
  readonly verdict: Regime;
  /** Verdict at the last look within the first tenth of the run. */
  readonly early: Regime;
  /** Whether the verdict stays as it is from there on. */
  readonly stable: boolean;
  /** Factor between the expected gap of the early verdict and the true one, at least 1. */
  readonly off: number;
  /** Factor between the true gap and the nearer bar, at least 1. */
  readonly clear: number;
}

const factor = (a: number, b: number): number => Math.max(a / b, b / a);

export function judge({ gap, steps, verdicts }: RegimeRun): Judgement {
  const verdict = verdicts[verdicts.length - 1].regime;
  const within = verdicts.filter((v) => v.step <= Math.max(1, steps / 10)).length;
  const from = Math.max(0, within - 1);
  return {
    truth: truthOf(gap),
    before: verdicts[0].regime,
    verdict,
    early: verdicts[from].regime,
    stable: verdicts.slice(from).every((v) => v.regime === verdict),
    off: factor(verdicts[from].expected, gap),
    clear: Math.min(factor(gap, gapBars.lazy), factor(gap, gapBars.rich)),
  };
}
