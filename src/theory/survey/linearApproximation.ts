import {
  type LinearisedArm,
  linearisationText,
  linearisedFigures,
  linearisedStage,
} from '../reproduction/linearised.js';
import { curveFigure, paperNet, sizesText } from '../reproduction/mnist.js';
import { conventionTexts } from '../reproduction/rates.js';
import { expected, nearMovement, rising, shown } from '../reproduction/referenceChecks.js';
import type { Preset, Survey } from '../reproduction/survey.js';
import { last, trainingStage } from '../reproduction/training.js';

const mnist: LinearisedArm = { id: 'mnist', text: 'MNIST', lr: 0.1 };
const width: Readonly<Record<Preset, number>> = { full: 1000, quick: 512 };
const epochs: Readonly<Record<Preset, number>> = { full: 50, quick: 6 };
const toySteps: Readonly<Record<Preset, number>> = { full: 2000, quick: 300 };
const published = { linear: 0.233, network: 0.208 } as const;
/** Largest relative distance of the toy's test losses at which network and twin count as one. */
const together = 0.05;

/** Fang, Dong, Zhang 2021: the linearisation is exact on an easy toy and parts from the network on MNIST. */
export const linearApproximation: Survey = {
  id: 'linear-approximation',
  title: 'The linear approximation holds on a toy, not on digits',
  statement:
    'On a small random task a wide network and its linearised twin coincide; on MNIST the linearisation ends at a higher test loss than the network.',
  setting: {
    full: `Toy: n = 500, d = 100, x ~ N(0, I), y = tanh(w.x), |w| = 1, m = 1000, alpha = sqrt(m), theta ~ N(0, I/d), symmetrised, full batch, squared loss, 2000 steps of half the largest stable size, twin trained beside. ${sizesText.full}; m = 1000, alpha = sqrt(m), ${conventionTexts['m/alpha']}; lr .1, 50 epochs. ${linearisationText}. The authors' step sizes and toy target are not known here.`,
    quick: `The toy with 300 steps; ${sizesText.quick}; m = 512, 6 epochs.`,
  },
  published:
    'Toy: network and linearisation coincide. MNIST at epoch 50: test loss of the linearisation .233, of the network .208.',
  source: 'Fang, Dong, Zhang 2021',
  stages: (preset) => [
    trainingStage({
      id: 'toy',
      model: paperNet(1000, 'ntk', { init: 'symmetric', thetaStart: 'inverse-dimension' }),
      data: { kind: 'teacher', dimension: 100, target: 'tanh', slope: 1, train: 500, test: 500 },
      loss: 'mse',
      optimizer: { kind: 'sgd', learningRate: 'auto' },
      batch: 500,
      steps: toySteps[preset],
      twin: true,
    }),
    linearisedStage(mnist, width[preset], epochs[preset], preset),
  ],
  conclude(results, preset) {
    const toy = results.get('toy');
    const digits = results.get(mnist.id);
    const toyLoss = last(toy, 'testLoss');
    const toyGap = toy?.complete ? Math.abs(last(toy, 'twinTestLoss') - toyLoss) / toyLoss : Number.NaN;
    const whole = (column: string) => (digits?.complete ? last(digits, column) : Number.NaN);
    return {
      bars: [
        expected(
          'toy: relative gap of the test losses of network and twin',
          `at most ${100 * together} %`,
          [toyGap],
          (gap) => gap <= together,
        ),
        nearMovement(
          'MNIST: test loss of the network',
          last(digits, 'testLoss'),
          published.network,
          preset,
          digits,
        ),
        nearMovement(
          'MNIST: test loss of the linearisation',
          last(digits, 'linearTestLoss'),
          published.linear,
          preset,
          digits,
        ),
        expected(
          'MNIST: test loss of network and linearisation',
          'the linearisation ends higher',
          [whole('testLoss'), whole('linearTestLoss')],
          rising,
          whole('linearTestLoss'),
        ),
        shown('MNIST: accuracy of the network', last(digits, 'accuracy')),
        shown('MNIST: accuracy of the linearisation', last(digits, 'linearAccuracy')),
      ],
      note: '',
      figures: [
        curveFigure(
          'Test loss, toy',
          'testLoss',
          [
            { label: 'network', course: toy },
            { label: 'trained twin', course: toy, column: 'twinTestLoss', style: 'dashed' },
          ],
          { y: true },
        ),
        ...linearisedFigures([mnist], results),
      ],
    };
  },
};
