import * as tf from '../../tf.js';

/** Einstein sums as one batched matrix product, and their gradients, which TensorFlow.js 4.22 does not have. */

interface Parsed {
  readonly operands: readonly string[];
  readonly output: string;
}

function parse(equation: string): Parsed {
  const [left, output] = equation.replaceAll(' ', '').split('->');
  return { operands: left.split(','), output };
}

/** Indices of `own` that neither of the others knows: they are summed at once. */
const lettersOnlyIn = (own: string, ...others: string[]): string[] =>
  [...own].filter((index) => others.every((other) => !other.includes(index)));

const without = (own: string, dropped: readonly string[]): string =>
  [...own].filter((index) => !dropped.includes(index)).join('');

/** Axes of `from` in the order of `to`. */
const reordered = (x: tf.Tensor, from: string, to: string): tf.Tensor =>
  from === to
    ? x
    : tf.transpose(
        x,
        [...to].map((index) => from.indexOf(index)),
      );

function summed(x: tf.Tensor, own: string, dropped: readonly string[]): tf.Tensor {
  if (dropped.length === 0) return x;
  return tf.sum(
    x,
    dropped.map((index) => own.indexOf(index)),
  );
}

/**
 * An Einstein sum of one or two operands in which no operand repeats an index. The plain JavaScript kernel keeps an
 * index of one operand alone that should be summed, and wasm has none.
 */
export function einsum(equation: string, tensors: readonly tf.Tensor[]): tf.Tensor {
  const { operands, output } = parse(equation);
  if (tensors.length === 1) {
    const [own] = operands;
    const dropped = lettersOnlyIn(own, output);
    return tf.clone(reordered(summed(tensors[0], own, dropped), without(own, dropped), output));
  }
  const [first, second] = operands;
  const [lostA, lostB] = [lettersOnlyIn(first, second, output), lettersOnlyIn(second, first, output)];
  const [a, b] = [without(first, lostA), without(second, lostB)];
  const [x, y] = [summed(tensors[0], first, lostA), summed(tensors[1], second, lostB)];
  const batch = [...a].filter((i) => b.includes(i) && output.includes(i)).join('');
  const inner = [...a].filter((i) => b.includes(i) && !output.includes(i)).join('');
  const [freeA, freeB] = [without(a, [...batch, ...inner]), without(b, [...batch, ...inner])];
  const size = (indices: string): number =>
    [...indices].reduce((n, i) => n * (a.includes(i) ? x.shape[a.indexOf(i)] : y.shape[b.indexOf(i)]), 1);
  const left = tf.reshape(reordered(x, a, batch + freeA + inner), [size(batch), size(freeA), size(inner)]);
  const right = tf.reshape(reordered(y, b, batch + inner + freeB), [size(batch), size(inner), size(freeB)]);
  const found = batch + freeA + freeB;
  const shaped = tf.reshape(
    tf.matMul(left, right),
    [...found].map((i) => size(i)),
  );
  return reordered(shaped, found, output);
}

/** Gradient with respect to one operand: dy contracted with the other one, spread over what was summed at once. */
function operandGradient(
  equation: string,
  dy: tf.Tensor,
  tensors: readonly tf.Tensor[],
  at: number,
): tf.Tensor {
  const { operands, output } = parse(equation);
  const own = operands[at];
  const others = operands.filter((_, i) => i !== at);
  const dropped = lettersOnlyIn(own, output, ...others);
  const kept = without(own, dropped);
  const rest = tensors.filter((_, i) => i !== at);
  const compact = tf.einsum(`${[output, ...others].join(',')}->${kept}`, dy, ...rest);
  if (dropped.length === 0) return compact;
  const spread = tf.reshape(
    compact,
    [...own].map((index, axis) => (dropped.includes(index) ? 1 : tensors[at].shape[axis])),
  );
  return tf.mul(spread, tf.onesLike(tensors[at]));
}

/** Gradients of einsum and of gatherND on every backend. */
export function patchContractionGradients(): void {
  tf.registerGradient({
    kernelName: 'Einsum',
    saveAllInputs: true,
    gradFunc: (dy, saved, attrs) => {
      const { equation } = attrs as unknown as { equation: string };
      return Object.fromEntries(
        saved.map((_, at) => [at, () => operandGradient(equation, dy as tf.Tensor, saved, at)]),
      );
    },
  });
  tf.registerGradient({
    kernelName: 'GatherNd',
    inputsToSave: ['params', 'indices'],
    gradFunc: (dy, [params, indices]) => ({
      params: () => tf.scatterND(indices, dy as tf.Tensor, params.shape as never) as tf.Tensor,
      indices: () => tf.zerosLike(indices),
    }),
  });
}

/** Puts this einsum in the place of a backend's own. */
export function patchContractions(backendName: 'wasm' | 'cpu'): void {
  if (tf.getKernel('Einsum', backendName)) tf.unregisterKernel('Einsum', backendName);
  tf.registerKernel({
    kernelName: 'Einsum',
    backendName,
    kernelFunc: ({ inputs, attrs }) => {
      const tensors = Object.values(inputs).map((info) =>
        info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info as never),
      );
      const { equation } = attrs as unknown as { equation: string };
      return tf.engine().tidy(() => einsum(equation, tensors));
    },
  });
}
