import { type EmpiricalKernel, kernelNow, outputCount } from '../../network/kernel/index.js';
import * as tf from '../../network/tf.js';
import type { CopiedTensor, ForeignModel, ForeignVariable } from '../preload/foreign.js';
import { everyLayer } from './aside.js';

interface OpenLayer {
  trainable_?: boolean;
}
interface OpenWeight {
  trainable: boolean;
  read(): { trainable: boolean };
}

/** Number of outputs of a model, all axes but the first together. */
export const outputsOf = (model: ForeignModel): number => outputCount(model as unknown as tf.LayersModel);

/**
 * The one place where a watched program's kernel is computed: that of the model's output with its final activation over the
 * weights that train. `inputs` are [N, ...], one an input of the model. Runs the model in its inference form.
 */
export function kernelOf(
  model: ForeignModel,
  inputs: readonly CopiedTensor[],
  trained: ReadonlySet<ForeignVariable>,
  output?: number,
): EmpiricalKernel {
  return asTrained(model, trained, () => {
    const x = tensorsOf(inputs);
    return kernelNow(model as unknown as tf.LayersModel, x.length === 1 ? x[0] : x, {
      perLayer: true,
      ...(output === undefined ? {} : { output }),
    });
  });
}

/** Outputs of a model in its inference form, [N, O]. */
export function outputsNow(model: ForeignModel, inputs: readonly CopiedTensor[]): Float32Array {
  const x = tensorsOf(inputs);
  const y = (model as unknown as tf.LayersModel).apply(x.length === 1 ? x[0] : x, { training: false });
  return (Array.isArray(y) ? (y as tf.Tensor[])[0] : (y as tf.Tensor)).dataSync() as Float32Array;
}

export const tensorsOf = (inputs: readonly CopiedTensor[]): tf.Tensor[] =>
  inputs.map(({ values, shape, dtype }) =>
    tf.tensor(values as Float32Array, [...shape], dtype as tf.DataType),
  );

/**
 * Runs `work` with exactly these weights trainable. What the flags of a model say may have changed since it was compiled
 * (the discriminator inside a generator's model), and a program may train a part of it.
 */
function asTrained<T>(model: ForeignModel, trained: ReadonlySet<ForeignVariable>, work: () => T): T {
  const restore: (() => void)[] = [];
  for (const layer of everyLayer(model)) {
    const weights = (Array.isArray(layer.weights) ? layer.weights : []) as unknown as OpenWeight[];
    const open = layer as unknown as OpenLayer;
    const { trainable_ } = open;
    if (trainable_ === false && weights.some((w) => trained.has(w.read() as ForeignVariable))) {
      open.trainable_ = true;
      restore.push(() => {
        open.trainable_ = trainable_;
      });
    }
    for (const weight of weights) {
      const variable = weight.read();
      const now = trained.has(variable as ForeignVariable);
      const before = [weight.trainable, variable.trainable] as const;
      if (before[0] === now && before[1] === now) continue;
      weight.trainable = now;
      restore.push(() => {
        [weight.trainable, variable.trainable] = before;
      });
    }
  }
  try {
    return work();
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}
