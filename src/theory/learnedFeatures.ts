import { Random } from '../core/random.js';
import type { DataSpec } from '../experiment/definition.js';
import type { Dataset } from '../network/data/index.js';
import type { BuiltModel } from '../network/models/build.js';
import { type Drawing, drawNeurons, writeFeatures } from '../network/models/repopulation.js';
import type * as tf from '../network/tf.js';
import { tensorsOf } from '../network/training/index.js';
import type { ClaimContext, Preset } from './claim.js';
import { dataOf, networkOf, training, trainToEnd, twoLayerNet } from './laboratory.js';

/** A network whose features repopulate under L2, and readouts on what is drawn from it: for the claims of theme F. */

/** Inputs over which the spread of a feature is measured. */
const probed = 1024;

/** The digits that come with Kernelscope, or all of MNIST. */
export const digitsOf = (preset: Preset, seed: number): Dataset => {
  const spec: DataSpec = preset === 'full' ? { kind: 'mnist' } : { kind: 'digits', train: 1198, test: 599 };
  return dataOf(spec, seed, { loss: 'crossEntropy' });
};

/** f = (1 / sqrt m) sum u tanh(theta.x) with the scale in the initial u, theta ~ N(0, I), as the authors train it. */
export const featureNet = (width: number, train: 'all' | 'readout') =>
  twoLayerNet(width, { scale: 'standard', init: 'gaussian', thetaStart: 'unit', train });

export interface Phase {
  readonly steps: number;
  readonly rate: number;
}

/**
 * Trains by Adam with an L2 term on all weights, which lets neurons that serve no purpose die out; a phase of small
 * steps at the end takes away the scatter that Adam's step size leaves. The caller disposes.
 */
export async function trainedFeatures(
  data: Dataset,
  width: number,
  phases: readonly Phase[],
  l2: number,
  context: ClaimContext,
): Promise<BuiltModel> {
  const built = networkOf(featureNet(width, 'all'), data, context);
  for (const { steps, rate } of phases)
    await trainToEnd(
      built,
      data,
      training({
        loss: 'crossEntropy',
        optimizer: { kind: 'adam', learningRate: rate },
        // The L2 term of a two-layer network is divided by its width.
        regularization: { all: l2 * width },
        batch: context.preset === 'full' ? 128 : 64,
        steps,
        seed: context.seed,
        measure: { kernels: 0, metricsEvery: steps, checkpointEvery: steps },
      }),
      context,
    );
  return built;
}

/** The first training inputs, over which importance is measured; the caller disposes. */
export function probeInputs(data: Dataset): tf.Tensor2D {
  const rows = Uint32Array.from({ length: Math.min(probed, data.train.size) }, (_, i) => i);
  const { x, y } = tensorsOf(data.train, data, rows);
  y.dispose();
  return x as tf.Tensor2D;
}

/** Test accuracy of a readout that is trained on random features, or on features drawn from a trained network. */
export async function readoutAccuracy(
  data: Dataset,
  count: number,
  from: { readonly built: BuiltModel; readonly by: Drawing } | 'random',
  phase: Phase,
  context: ClaimContext,
  seed: number,
): Promise<number> {
  const built = networkOf(featureNet(count, 'readout'), data, context, seed);
  try {
    if (from !== 'random') {
      const x = probeInputs(data);
      writeFeatures(built, drawNeurons(from.built, count, from.by, x, new Random(`${seed}/features`)));
      x.dispose();
    }
    const { summary } = await trainToEnd(
      built,
      data,
      training({
        loss: 'crossEntropy',
        optimizer: { kind: 'adam', learningRate: phase.rate },
        batch: context.preset === 'full' ? 128 : 64,
        steps: phase.steps,
        seed,
        measure: { kernels: 0, metricsEvery: phase.steps, checkpointEvery: phase.steps },
      }),
      context,
    );
    return summary.accuracy ?? Number.NaN;
  } finally {
    built.model.dispose();
  }
}
