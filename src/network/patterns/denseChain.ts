import { Random } from '../../core/random.js';
import type { Value } from '../graph/graph.js';
import { modelProgram, type Program } from '../graph/program.js';
import { structureOf } from '../graph/samples.js';
import { behindCopies } from '../graph/skeleton.js';
import type { Inputs } from '../inputs.js';
import type { ActivationName } from '../models/spec.js';
import * as tf from '../tf.js';
import { activationBehind } from './activation.js';
import { Sequence } from './sequence.js';

/** One dense layer of a chain, z = scale x W + biasScale b, with the activation behind it. */
export interface ChainLayer {
  /** Under which its share is told. */
  readonly name: string;
  readonly kernel: tf.Variable;
  readonly bias: tf.Variable | null;
  readonly scale: number;
  readonly biasScale: number;
  readonly activation: ActivationName;
  /** Whether kernel and bias train; they do both or neither. */
  readonly trainable: boolean;
}

/** z = scale x W + biasScale b of a sequence, from x on; null where something else follows. */
export function denseBehind(
  sequence: Sequence,
  x: Value,
  groups: ReadonlyMap<tf.Variable, string>,
): { readonly layer: Omit<ChainLayer, 'activation'>; readonly value: Value } | null {
  const product = sequence.userOf(x);
  if (product?.kernel !== 'BatchMatMul' || product.attrs.transposeA || product.attrs.transposeB) return null;
  const kernel = sequence.input(product, 'b')?.variable ?? null;
  if (kernel?.rank !== 2 || sequence.input(product, 'a')?.id !== behindCopies(x).id) return null;
  let value = sequence.take(product);
  let scale = 1;
  let next = sequence.userOf(value);
  const factor = next?.kernel === 'Multiply' ? sequence.number(sequence.input(next, 'b')) : null;
  if (next && factor !== null) {
    scale = factor;
    value = sequence.take(next);
    next = sequence.userOf(value);
  }
  let bias: tf.Variable | null = null;
  let biasScale = 1;
  const added = next?.kernel === 'Add' ? sequence.input(next, 'b') : null;
  if (next && added) {
    const scaled = added.node?.kernel === 'Multiply' ? added.node : null;
    const own = scaled ? sequence.input(scaled, 'a') : added;
    const constant = scaled ? sequence.number(sequence.input(scaled, 'b')) : 1;
    if (
      own?.variable &&
      own.variable.rank === 1 &&
      own.variable.size === kernel.shape[1] &&
      constant !== null
    ) {
      bias = own.variable;
      biasScale = constant;
      if (scaled) sequence.take(scaled);
      value = sequence.take(next);
    }
  }
  const trainable = groups.has(kernel);
  // A layer of which only one half trains is left to the general way.
  if (bias && groups.has(bias) !== trainable) return null;
  return {
    layer: { name: groups.get(kernel) ?? kernel.name, kernel, bias, scale, biasScale, trainable },
    value,
  };
}

export const groupsOf = (program: Program): ReadonlyMap<tf.Variable, string> =>
  new Map(program.weights.map(({ variable, group }) => [variable, group]));

const chains = new WeakMap<object, readonly ChainLayer[] | null>();

/**
 * A program as a plain chain of dense layers and activations on flat inputs, as it was traced; null when it is anything
 * else. A chain needs no tape: its cotangents are products of matrices.
 */
export function chainOfProgram(program: Program, inputs: readonly tf.Tensor[]): readonly ChainLayer[] | null {
  const structure = structureOf(program, inputs);
  const { skeleton } = structure;
  if (!skeleton) return null;
  const known = chains.get(skeleton);
  if (known !== undefined) return known;
  const { graph } = skeleton;
  const found = (): readonly ChainLayer[] | null => {
    const [x] = graph.inputs;
    if (graph.inputs.length !== 1 || graph.outputs.length !== 1 || x.shape.length !== 2) return null;
    const groups = groupsOf(program);
    const sequence = new Sequence(skeleton);
    const chain: ChainLayer[] = [];
    let value = x;
    while (!sequence.isOutput(value)) {
      const dense = denseBehind(sequence, value, groups);
      const activation = dense && activationBehind(sequence, dense.value);
      if (!activation) return null;
      chain.push({ ...dense.layer, activation: activation.name });
      value = activation.value;
    }
    const once = new Set(chain.map(({ kernel }) => kernel)).size === chain.length;
    return chain.length > 0 && once && sequence.isWhole ? chain : null;
  };
  const chain = found();
  chains.set(skeleton, chain);
  return chain;
}

/** A layers model as a chain; for inputs that are not at hand, on numbers of their shape. */
export function chainOf(model: tf.LayersModel, x?: Inputs): readonly ChainLayer[] | null {
  if (model.inputs.length !== 1 || model.inputs[0].shape.length !== 2) return null;
  const program = modelProgram(model);
  if (x) return chainOfProgram(program, [x].flat());
  const [, width] = model.inputs[0].shape;
  if (width === null) return null;
  const placeholder = tf.tensor2d(Float32Array.from(new Random('placeholder').normals(3 * width)), [
    3,
    width,
  ]);
  try {
    return chainOfProgram(program, [placeholder]);
  } finally {
    placeholder.dispose();
  }
}
