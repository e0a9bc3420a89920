import { median } from '../../core/stats/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { columnOf, dataOf, networkOf, short, training, trainToEnd, twoLayerNet } from '../laboratory.js';
import { medians, subSeeds } from '../subSeeds.js';
import { fourNeuronTask } from '../tasks.js';

const widths = [4, 8, 40];
/** How many times smaller the error of the widest network must be than that of the narrowest. */
const gain = 5;

/** Mean square distance from the noiseless teacher along training. */
async function course(width: number, steps: number, context: ClaimContext, seed: number) {
  const data = dataOf(fourNeuronTask, seed);
  const student = twoLayerNet(width, {
    activation: 'sigmoid',
    scale: 'mean-field',
    init: 'gaussian',
    thetaStart: 'unit',
  });
  const built = networkOf(student, data, context, seed);
  try {
    const { rows } = await trainToEnd(
      built,
      data,
      training({
        // 10 on mean (f - y)^2 is 20 on half of it.
        optimizer: { kind: 'sgd', learningRate: 20 },
        batch: 1000,
        steps,
        seed,
        measure: { kernels: 0, metricsEvery: steps / 20 },
      }),
      context,
    );
    const { step, value } = columnOf(rows, 'testLoss');
    return { step, error: value.map((half) => 2 * half) };
  } finally {
    built.model.dispose();
  }
}

/** Fang, Dong, Zhang 2021: a student as wide as its teacher gets stuck, a wider one fits. */
export const widthBuysFit: Claim = {
  id: 'width-buys-fit',
  title: 'Width buys fit',
  theme: ['A'],
  statement:
    'Gradient descent fits a four-neuron teacher badly with four neurons and the better the more there are.',
  setting:
    'Teacher of 4 sigmoid neurons in the plane, x ~ 100 N(0, I), label noise .1; student f = (1/m) sum u sigmoid(theta.x), m = 4, 8, 40, plain N(0, 1) start, lr 10 on mean (f - y)^2, batches of 1000 out of 40000 samples, 1200 (quick) or 6000 steps; error against the noiseless teacher, median of the last quarter of the run, medians over 5 starts.',
  tolerance: `test error ordered m = 4 > 8 > 40, at least x${gain} between 4 and 40`,
  source: 'Fang, Dong, Zhang 2021',
  sabotage: 'frozen-readout',
  async measure(context) {
    const steps = context.preset === 'full' ? 6000 : 1200;
    const seeds = subSeeds(context, 5);
    const errors: number[][] = [];
    const first: { width: number; step: number[]; error: number[] }[] = [];
    for (const [i, seed] of seeds.entries()) {
      const row: number[] = [];
      for (const [k, width] of widths.entries()) {
        context.progress?.((i + k / widths.length) / seeds.length, `m = ${width}, start ${i + 1}`);
        const { step, error } = await course(width, steps, context, seed);
        row.push(median(error.filter((_, j) => step[j] > 0.75 * steps)));
        if (i === 0) first.push({ width, step, error });
      }
      errors.push(row);
    }
    const [four, eight, forty] = medians(errors);
    return {
      passed: four > eight && eight > forty && four >= gain * forty,
      predicted: gain,
      measured: four / forty,
      interval: null,
      note: `Median test error ${short(four)}, ${short(eight)}, ${short(forty)} at m = ${widths.join(', ')}; theory's number is the least ratio of the first to the last.`,
      figures: [
        {
          title: 'Test error of one start',
          xLabel: 'step',
          yLabel: 'mean (f - f*)^2',
          logY: true,
          series: first.map(({ width, step, error }) => ({
            label: `m = ${width}`,
            x: step,
            y: error,
            style: 'line',
          })),
        },
        {
          title: 'Test error against width',
          xLabel: 'width m',
          yLabel: 'mean (f - f*)^2',
          logX: true,
          logY: true,
          series: [
            { label: 'single starts', x: errors.flatMap(() => widths), y: errors.flat(), style: 'dots' },
            { label: 'median', x: widths, y: [four, eight, forty], style: 'dashed' },
          ],
        },
      ],
    };
  },
};
