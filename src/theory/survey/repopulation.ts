import { matrixFrom } from '../../core/linalg/matrix.js';
import { effectiveNeurons } from '../../core/measures/index.js';
import { Random } from '../../core/random.js';
import type { TwoLayerModel } from '../../experiment/definition.js';
import type { Dataset } from '../../network/data/index.js';
import { type BuiltModel, buildModel } from '../../network/models/build.js';
import { neuronsOf, writeNeurons } from '../../network/models/neurons.js';
import {
  type Drawing,
  drawNeurons,
  neuronImportance,
  writeFeatures,
} from '../../network/models/repopulation.js';
import { Evaluator, tensorsOf } from '../../network/training/index.js';
import { curveFigure, digits, paperNet, sizesText } from '../reproduction/mnist.js';
import { expected, nearAccuracy, rising, shown } from '../reproduction/referenceChecks.js';
import type { Preset, ReferenceCheck, Stage, StageContext, Survey } from '../reproduction/survey.js';
import { last, type TrainingPlan, trainingStage } from '../reproduction/training.js';

interface Sizes {
  /** Width of the trained network, of the features that are compared, and of the pruned networks. */
  readonly trained: number;
  readonly features: number;
  readonly pruned: number;
  readonly epochs: number;
  readonly rate: number;
  readonly decay: number;
  readonly readoutEpochs: number;
  readonly readoutRate: number;
  readonly tangentRate: number;
}

const sizes: Readonly<Record<Preset, Sizes>> = {
  full: {
    trained: 10000,
    features: 1000,
    pruned: 10,
    epochs: 20,
    rate: 1e-3,
    decay: 1e-3,
    readoutEpochs: 50,
    readoutRate: 1e-4,
    tangentRate: 1,
  },
  quick: {
    trained: 1000,
    features: 100,
    pruned: 10,
    epochs: 20,
    rate: 1e-2,
    decay: 3e-3,
    readoutEpochs: 12,
    readoutRate: 5e-3,
    tangentRate: 1,
  },
};

/** Inputs over which the spread of a feature is measured. */
const probed = 1024;
const network = 'network';

/** The neurons that the network's stage kept. Throws an Error when it has not run. */
function trainedNetwork(data: Dataset, context: StageContext): BuiltModel {
  const kept = context.keeper.kept(network);
  if (!kept) throw new Error('The trained network is missing; its stage comes first.');
  const { trained } = sizes[context.preset];
  const built = buildModel(paperNet(trained, 'standard'), {
    inputShape: data.inputShape,
    outputs: data.outputs,
    seed: context.seed,
  });
  const matrix = (name: string) => {
    const { data: values, shape } = kept[name];
    return matrixFrom(trained, shape?.[1] ?? 1, Float64Array.from(values as Float32Array));
  };
  writeNeurons(built, { theta: matrix('theta'), u: matrix('u') });
  return built;
}

function firstInputs(data: Dataset) {
  const rows = Uint32Array.from({ length: Math.min(probed, data.train.size) }, (_, i) => i);
  const { x, y } = tensorsOf(data.train, data, rows);
  y.dispose();
  return x as Parameters<typeof neuronImportance>[1];
}

/** Draws neurons of the trained network. */
function drawn(count: number, by: Drawing, data: Dataset, context: StageContext) {
  const from = trainedNetwork(data, context);
  const x = firstInputs(data);
  try {
    return drawNeurons(from, count, by, x, new Random(context.seed).fork(`repopulation/${by}/${count}`));
  } finally {
    x.dispose();
    from.model.dispose();
  }
}

/** Keeps the neurons, and says how many of them count. */
function keepNeurons(built: BuiltModel, data: Dataset, context: StageContext): Record<string, number> {
  const { theta, u } = neuronsOf(built);
  context.keeper.keep(network, {
    theta: { data: Float32Array.from(theta.data), shape: [theta.rows, theta.cols] },
    u: { data: Float32Array.from(u.data), shape: [u.rows, u.cols] },
  });
  const x = firstInputs(data);
  const values: Record<string, number> = { effectiveNeurons: effectiveNeurons(neuronImportance(built, x)) };
  const { pruned, trained } = sizes[context.preset];
  for (const by of ['importance', 'uniform'] as const) {
    const small = buildModel(paperNet(pruned, Math.sqrt(trained)), {
      inputShape: data.inputShape,
      outputs: data.outputs,
      seed: context.seed,
    });
    const random = new Random(context.seed).fork(`repopulation/${by}/${pruned}`);
    const neurons = drawNeurons(built, pruned, by, x, random);
    writeNeurons(small, neurons);
    const test = new Evaluator(data.test, data, 'crossEntropy');
    values[`untrained.${by}`] =
      test.evaluate((inputs) => small.model.apply(inputs) as never).accuracy ?? Number.NaN;
    test.dispose();
    small.model.dispose();
  }
  x.dispose();
  return values;
}

const common = (preset: Preset): Pick<TrainingPlan, 'data' | 'loss' | 'batch'> => ({
  data: digits(preset),
  loss: 'crossEntropy',
  batch: 128,
});

/** Training on features of its own law ('random') or drawn from the trained network. */
function onFeatures(
  id: string,
  preset: Preset,
  count: number,
  by: Drawing | 'random',
  train: TwoLayerModel['train'],
): Stage {
  const { readoutEpochs, readoutRate, tangentRate } = sizes[preset];
  const tangent = train === 'tangent';
  return trainingStage(
    {
      ...common(preset),
      id,
      // In the tangent space u counts: it starts at N(0, 1) under alpha = sqrt(m) for both kinds of features.
      model: paperNet(count, tangent ? 'ntk' : 'standard', { train }),
      optimizer: tangent
        ? { kind: 'sgd', learningRate: tangentRate }
        : { kind: 'adam', learningRate: readoutRate },
      epochs: readoutEpochs,
      start: 1,
    },
    {
      begin:
        by === 'random'
          ? undefined
          : (built, data, context) => writeFeatures(built, drawn(count, by, data, context)),
    },
  );
}

/** The bars on ten neurons hold for ten of ten thousand; of fewer, more of those drawn uniformly are of use. */
function prunedChecks(importance: number, uniform: number, preset: Preset): ReferenceCheck[] {
  const order = expected(
    '10 neurons: by importance against uniformly',
    'by importance at least .1 better',
    [importance, uniform],
    (a, b) => a >= b + 0.1,
    importance - uniform,
  );
  if (preset === 'quick')
    return [
      shown('10 neurons by importance: accuracy', importance),
      shown('10 neurons drawn uniformly: accuracy', uniform),
      order,
    ];
  return [
    expected(
      '10 neurons by importance: accuracy',
      'at least .65 (published .7063)',
      [importance],
      (value) => value >= 0.65,
    ),
    expected(
      '10 neurons drawn uniformly: accuracy',
      'at most .30 (published .2412)',
      [uniform],
      (value) => value <= 0.3,
    ),
    order,
  ];
}

/** Fang, Dong, Zhang 2019 and 2021: training repopulates the features, and what was learned can be sampled. */
export const repopulation: Survey = {
  id: 'repopulation',
  title: 'Learned features need fewer neurons',
  statement:
    'A readout on features drawn from a trained network does better than on as many random ones, and few neurons drawn by importance do what few drawn uniformly cannot.',
  setting: {
    full: `${sizesText.full}. A network with m = 10000 (theta ~ N(0, 1), u ~ N(0, 1/m)) trained by Adam, lr 1e-3, L2 1e-3 on all weights, 20 epochs. Readout alone, Adam, lr 1e-4, 50 epochs, on 1000 random features N(0, 1) and on 1000 neurons of the network drawn by importance |u_j| sd(h_j); tangent space of both, u ~ N(0, 1), alpha = sqrt(m), gradient descent, lr 1, 50 epochs; readout on 10 of the 10000 neurons, drawn by importance and uniformly. The authors drew the learned features from a generative model of the trained neurons; ours are the neurons themselves.`,
    quick: `${sizesText.quick}; m = 1000, Adam, lr 1e-2, L2 3e-3, 20 epochs; readouts with lr 5e-3, 12 epochs, on 100 random and 100 drawn features; 10 of 1000 neurons.`,
  },
  published:
    'Readout on 1000 random features .9468, on 1000 learned features .9764; 10 of 10000 neurons by importance .7063, uniformly .2412. Values of the tangent space are not known here.',
  source: 'Fang, Dong, Zhang 2019; Fang, Dong, Zhang 2021',
  stages(preset) {
    const { trained, features, pruned, epochs, rate, decay } = sizes[preset];
    return [
      onFeatures('readout/random', preset, features, 'random', 'readout'),
      trainingStage(
        {
          ...common(preset),
          id: network,
          model: paperNet(trained, 'standard'),
          optimizer: { kind: 'adam', learningRate: rate },
          // The L2 term of a two-layer network is divided by its width.
          regularization: { all: decay * trained },
          epochs,
          rows: 10,
        },
        { leaves: true, end: keepNeurons },
      ),
      onFeatures('readout/learned', preset, features, 'importance', 'readout'),
      onFeatures('pruned/importance', preset, pruned, 'importance', 'readout'),
      onFeatures('pruned/uniform', preset, pruned, 'uniform', 'readout'),
      onFeatures('tangent/random', preset, features, 'random', 'tangent'),
      onFeatures('tangent/learned', preset, features, 'importance', 'tangent'),
    ];
  },
  conclude(results, preset) {
    const accuracy = (id: string) => last(results.get(id), 'accuracy');
    const trained = results.get(network);
    const near = (name: string, id: string, value: number) =>
      nearAccuracy(name, accuracy(id), value, preset, results.get(id));
    const whole = (id: string) => (results.get(id)?.complete ? accuracy(id) : Number.NaN);
    const bars = [
      shown('trained network: accuracy', accuracy(network)),
      shown('trained network: effective number of neurons', trained?.values['effectiveNeurons']),
      near('readout on random features: accuracy', 'readout/random', 0.9468),
      near('readout on learned features: accuracy', 'readout/learned', 0.9764),
      expected(
        'readout: learned against random features',
        'learned features do better',
        [whole('readout/random'), whole('readout/learned')],
        rising,
        accuracy('readout/learned'),
      ),
      shown('tangent space of random features: accuracy', accuracy('tangent/random')),
      shown('tangent space of learned features: accuracy', accuracy('tangent/learned')),
      expected(
        'tangent space: learned against random features',
        'learned features do better',
        [whole('tangent/random'), whole('tangent/learned')],
        rising,
        accuracy('tangent/learned'),
      ),
      ...prunedChecks(whole('pruned/importance'), whole('pruned/uniform'), preset),
      shown('10 neurons by importance, u as trained: accuracy', trained?.values['untrained.importance']),
      shown('10 neurons drawn uniformly, u as trained: accuracy', trained?.values['untrained.uniform']),
    ];
    const curve = (label: string, id: string, published?: number) => ({
      label,
      course: results.get(id),
      ...(published !== undefined && preset === 'full' ? { published } : {}),
    });
    return {
      bars,
      note: 'One draw of neurons per kind; the readout of drawn features is trained anew.',
      figures: [
        curveFigure('Test accuracy, readout alone', 'accuracy', [
          curve('random features', 'readout/random', 0.9468),
          curve('learned features', 'readout/learned', 0.9764),
        ]),
        curveFigure('Test accuracy, tangent space', 'accuracy', [
          curve('of random features', 'tangent/random'),
          curve('of learned features', 'tangent/learned'),
        ]),
        curveFigure('Test accuracy, 10 neurons', 'accuracy', [
          curve('by importance', 'pruned/importance', 0.7063),
          curve('uniformly', 'pruned/uniform', 0.2412),
        ]),
        curveFigure('Test accuracy, trained network', 'accuracy', [curve('network', network)]),
      ],
    };
  },
};
