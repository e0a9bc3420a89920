import { subsamplingErrors } from '../../network/models/subsampling.js';
import { tensorsOf } from '../../network/training/index.js';
import type { Claim } from '../claim.js';
import {
  dataOf,
  networkOf,
  powerLawFigure,
  scaledDescent,
  short,
  trainToEnd,
  twoLayerNet,
  within,
} from '../laboratory.js';
import { geometricMeans, pooledFit, subSeeds } from '../subSeeds.js';
import { threeNeuronTask } from '../tasks.js';

const counts = [16, 32, 64, 128, 256, 512];
const draws = 64;

/** Mei, Montanari, Nguyen 2018: a finite network is a sample of neurons from the limit, and costs what a sample costs. */
export const discretiseWidth: Claim = {
  id: 'discretise-width',
  title: 'A finite width costs the variance of a neuron over m',
  theme: ['G'],
  statement:
    'm neurons drawn from a very wide trained network compute its function up to a mean square error of Var(u h) / m.',
  setting: `Teacher y = (1, -1, .7) . tanh(W x), d = 5, n = 200; two-layer tanh, alpha = 1, symmetrised, eta = .2 m, 400 (quick) or 2000 steps at m = 1024 (quick) or 8192; networks of m = ${counts[0]} .. ${counts[counts.length - 1]} of its neurons drawn independently, ${draws} draws, 100 test inputs, 3 tasks and starts.`,
  tolerance: 'slope of log E|f_m - f|^2 in log m: -1 ± .15',
  source: 'Mei, Montanari, Nguyen 2018; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const full = context.preset === 'full';
    const [width, steps] = full ? [8192, 2000] : [1024, 400];
    const seeds = subSeeds(context, 3);
    const errors: number[][] = [];
    const variances: number[] = [];
    for (const [i, seed] of seeds.entries()) {
      context.progress?.(i / seeds.length, `m = ${width}, start ${i + 1}`);
      const data = dataOf(threeNeuronTask(seed, { test: 100 }), seed);
      const net = (units: number) =>
        networkOf(twoLayerNet(units, { scale: 'mean-field' }), data, context, seed);
      const wide = net(width);
      await trainToEnd(wide, data, scaledDescent(0.2, { steps, seed }), context);
      const { x, y } = tensorsOf(data.test, data);
      const found = subsamplingErrors(wide, net, x, { counts, draws, seed });
      errors.push([...found.errors]);
      variances.push(found.variance);
      x.dispose();
      y.dispose();
      wide.model.dispose();
    }
    const fit = pooledFit(counts, errors);
    const law = geometricMeans(errors);
    const [variance] = geometricMeans(variances.map((v) => [v]));
    return {
      passed: within(fit.slope, -1, 0.15),
      predicted: -1,
      measured: fit.slope,
      interval: fit.interval,
      note: `m E|f_m - f|^2 is ${counts.map((m, k) => short(m * law[k])).join(', ')} at m = ${counts.join(', ')}; the variance of u h over the neurons is ${short(variance)}.`,
      figures: [
        {
          ...powerLawFigure('Error of subsampled networks', 'neurons drawn m', [
            { label: 'E |f_m - f|^2', x: counts, y: law, fit },
          ]),
          yLabel: 'mean square error',
        },
        {
          title: 'Error times width, and Var(u h)',
          xLabel: 'neurons drawn m',
          yLabel: 'm E |f_m - f|^2',
          logX: true,
          series: [
            { label: 'measured', x: counts, y: counts.map((m, k) => m * law[k]), style: 'dots' },
            { label: 'Var(u h)', x: counts, y: counts.map(() => variance), style: 'dashed' },
          ],
        },
      ],
    };
  },
};
