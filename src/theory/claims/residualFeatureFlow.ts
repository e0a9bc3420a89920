import { logLogFit } from '../../core/stats/index.js';
import type { ResidualModel } from '../../experiment/definition.js';
import type { Claim, ClaimContext } from '../claim.js';
import { differenceTask } from '../formulaTasks.js';
import {
  columnOf,
  networkOf,
  outputsOf,
  powerLawFigure,
  relativeDistance,
  short,
  training,
  trainToEnd,
} from '../laboratory.js';

const width = 32;
const left = 0.01;
const bar = -0.5;

interface Run {
  readonly depth: number;
  /** On the test inputs, at the end. */
  readonly outputs: Float32Array;
  readonly steps: number;
  readonly lossLeft: number;
  readonly step: readonly number[];
  readonly loss: readonly number[];
}

async function runOf(context: ClaimContext, depth: number): Promise<Run> {
  const data = differenceTask(context.seed, 24, 200);
  const spec: ResidualModel = {
    kind: 'residual',
    width,
    depth,
    activation: 'tanh',
    blockScale: '1/L',
    init: 'equal',
    train: 'all',
  };
  const built = networkOf(spec, data, context);
  try {
    const { rows, summary } = await trainToEnd(
      built,
      data,
      training({
        steps: 1500,
        stop: { lossFraction: left },
        probe: 24,
        seed: context.seed,
        measure: { kernels: 0, metricsEvery: 5 },
      }),
      context,
    );
    const { step, value: loss } = columnOf(rows, 'loss');
    const lossLeft = summary.loss.train / loss[0];
    return { depth, outputs: outputsOf(built, data, 'test'), steps: summary.step, lossLeft, step, loss };
  } finally {
    built.model.dispose();
  }
}

/** Fang, Lee, Yang, Zhang 2020; Lu et al. 2020: with blocks scaled 1/L a deep residual network is a flow of features. */
export const residualFeatureFlow: Claim = {
  id: 'residual-feature-flow',
  title: 'Residual networks approach a flow of features',
  theme: ['J'],
  statement:
    'With blocks scaled 1/L, and steps of the blocks scaled L, training has a limit in the depth: the trained outputs settle as L grows, and the training loss reaches its global minimum at any depth.',
  setting: `Residual network of width ${width}, blocks h + W' tanh(W h) / L that start from equal weights, smooth in depth, d = 5, n = 24, y = tanh(x1 - x2), half the largest stable step, until ${100 * left} % of the initial loss, L = 2 .. 32 (quick), 64 (full); relative distance of the outputs of L and 2 L on 200 test inputs.`,
  tolerance: `slope of log distance in log L at most ${bar}; every run reaches ${100 * left} % of its initial loss`,
  source: 'Fang, Lee, Yang, Zhang 2020; Lu, Ma, Lu, Lu, Ying 2020; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const depths = [2, 4, 8, 16, 32, ...(context.preset === 'full' ? [64] : [])];
    const runs: Run[] = [];
    for (const [i, depth] of depths.entries()) {
      context.progress?.(i / depths.length, `L = ${depth}`);
      runs.push(await runOf(context, depth));
    }
    const x = depths.slice(0, -1);
    const distances = x.map((_, i) => relativeDistance(runs[i].outputs, runs[i + 1].outputs));
    const fit = logLogFit(x, distances);
    const reached = runs.every((r) => r.lossLeft <= left);
    return {
      passed: fit.slope <= bar && reached,
      predicted: bar,
      measured: fit.slope,
      interval: fit.interval,
      note: `Distances ${distances.map((d) => short(100 * d)).join(', ')} % between L and 2 L, L = ${x.join(', ')}; ${reached ? 'every run' : 'not every run'} reaches ${100 * left} % of its loss (after ${runs.map((r) => r.steps).join(', ')} steps).`,
      figures: [
        powerLawFigure('Outputs of depth L against those of 2 L', 'depth L', [
          { label: 'relative distance', x, y: distances, fit },
        ]),
        {
          title: 'Training loss at every depth',
          xLabel: 'step',
          yLabel: 'loss',
          logY: true,
          series: runs.map(({ depth, step, loss }) => ({
            label: `L = ${depth}`,
            x: step,
            y: loss,
            style: 'line' as const,
          })),
        },
      ],
    };
  },
};
