import * as tf from '../tf.js';
import { genericPull } from './generic.js';
import { inputOf, multilinear, type Primitive, shapeOf, spread } from './primitive.js';

const letters = [...'abcdefghijklmnopqrstuvwxyz'];

/** Products summed over indices; all cotangents at once, under an index of their own. */
export const einsum: Primitive = {
  kernels: ['Einsum'],
  pull: (d, node, name) => {
    const [left, out] = (node.attrs.equation as string).replaceAll(' ', '').split('->');
    const operands = left.split(',');
    const names = Object.keys(node.inputs);
    const place = names.indexOf(name);
    const own = operands[place];
    const rest = names.filter((other) => other !== name);
    const others = operands.filter((_, k) => k !== place);
    const lead = letters.find((letter) => !left.includes(letter));
    if (!lead || operands.some((indices) => new Set(indices).size < indices.length))
      return genericPull(d, node, name);
    // Indices of this operand alone are summed in it: the cotangent is the same along them.
    const kept = [...own].filter((index) => out.includes(index) || others.some((o) => o.includes(index)));
    const whole = spread(d[0] as tf.Tensor, node.outputs[0].shape);
    const equation = `${[lead + out, ...others].join(',')}->${lead}${kept.join('')}`;
    const compact = tf.einsum(equation, whole, ...rest.map((other) => inputOf(node, other)));
    const shape = shapeOf(node, name);
    return tf.reshape(compact, [
      compact.shape[0],
      ...[...own].map((index, axis) => (kept.includes(index) ? shape[axis] : 1)),
    ]);
  },
  push: multilinear,
};
