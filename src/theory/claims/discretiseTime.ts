import { gradientFlow, tensorsOf } from '../../network/training/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import {
  dataOf,
  networkOf,
  outputsOf,
  powerLawFigure,
  relativeDistance,
  ridgeTask,
  short,
  training,
  trainToEnd,
  twoLayerNet,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';

const time = 10;
const rates = [0.4, 0.2, 0.1, 0.05];
/** Steps of the Runge-Kutta method that stands for the flow. */
const flowSteps = 40;

/** Relative distance of the outputs on test inputs from those of gradient flow, for each of `rates`. */
async function errorsOf(width: number, context: ClaimContext, seed: number): Promise<number[]> {
  const data = dataOf(ridgeTask({ train: 200, test: 200 }), seed);
  const definition = (learningRate: number) =>
    training({
      optimizer: { kind: 'sgd', learningRate, stepScale: 'm/alpha^2' },
      steps: Math.round(time / learningRate),
      seed,
      measure: { kernels: 0, metricsEvery: 4000 },
    });
  const after = async (move: (built: ReturnType<typeof networkOf>) => Promise<void> | void) => {
    const built = networkOf(twoLayerNet(width, { scale: 'mean-field' }), data, context, seed);
    await move(built);
    const f = outputsOf(built, data, 'test');
    built.model.dispose();
    return f;
  };
  const flow = await after((built) => {
    const { x, y } = tensorsOf(data.train, data);
    gradientFlow(built, definition(rates[0]), x, y, time, flowSteps);
    x.dispose();
    y.dispose();
  });
  const errors: number[] = [];
  for (const rate of rates) {
    const f = await after(async (built) => {
      await trainToEnd(built, data, definition(rate), context);
    });
    errors.push(relativeDistance(f, flow));
  }
  return errors;
}

/** Fang, Dong, Zhang 2021: gradient descent follows the gradient flow of the limit up to an error of order eta. */
export const discretiseTime: Claim = {
  id: 'discretise-time',
  title: 'A step size costs an error of order eta',
  theme: ['G'],
  statement:
    'At a fixed training time the outputs of gradient descent differ from those of gradient flow in proportion to the step size.',
  setting: `y = tanh(3 w.x), d = 20, n = 200, x ~ N(0, I); two-layer tanh, m = 256 (quick) or 1000, alpha = 1, symmetrised, full batch, until training time ${time} (in units of m) with eta = ${rates.join(', ')}; gradient flow by Runge-Kutta of order 4 in ${flowSteps} steps; outputs on 200 test inputs, 3 tasks and starts.`,
  tolerance: 'slope of log relative error in log eta: 1 ± .1',
  source: 'Fang, Dong, Zhang 2021; Mei, Montanari, Nguyen 2018',
  sabotage: 'doubled-step',
  async measure(context) {
    const width = context.preset === 'full' ? 1000 : 256;
    const seeds = subSeeds(context, 3);
    const errors: number[][] = [];
    for (const [i, seed] of seeds.entries()) {
      context.progress?.(i / seeds.length, `task ${i + 1} of ${seeds.length}`);
      errors.push(await errorsOf(width, context, seed));
    }
    const fit = pooledFit(rates, errors);
    const law = geometricMeans(errors);
    return {
      passed: within(fit.slope, 1, 0.1),
      predicted: 1,
      measured: fit.slope,
      interval: fit.interval,
      note: `Relative error of the outputs ${law.map((e) => `${short(100 * e)} %`).join(', ')} at eta = ${rates.join(', ')}.`,
      figures: [
        {
          ...powerLawFigure('Distance of gradient descent from gradient flow', 'step size eta', [
            { label: 'relative error', x: rates, y: law, fit },
          ]),
          yLabel: '|f_eta - f_flow| / |f_flow|',
        },
      ],
    };
  },
};
