import type { NativeProgram, NativeTensor } from '../../backends/nativeProgram.js';
import { device } from '../../devices/index.js';
import type { ChainLayer } from '../../patterns/denseChain.js';
import type * as tf from '../../tf.js';
import type { EmpiricalKernel, KernelOptions } from '../request.js';
import { addTerm, mirror, type Place } from '../sums.js';
import { canDefer } from './chainPass.js';
import { nativeActivations } from './nativeActivations.js';
import { isHomogeneous } from './slopes.js';

type Program = NativeProgram;
type Matrix = NativeTensor;

/** Values of a layer from which on starting an operation costs nothing beside running it. */
const large = 2 ** 23;
/** Multiplications of a layer's Gram matrices from which on it pays to leave out what lies below the diagonal. */
const worthHalving = 2 ** 29;

/** Whether this way is open for a kernel of n samples. */
function isOpen(chain: readonly ChainLayer[], n: number): boolean {
  const [top, ...below] = [...chain].reverse();
  return (
    top.activation === 'identity' &&
    below.every(({ activation }) => nativeActivations[activation]) &&
    chain.every(({ kernel }) => {
      const [from, to] = kernel.shape as number[];
      return n * Math.max(from, to) <= large && n * n * (from + to) <= worthHalving;
    })
  );
}

/**
 * Kernel, [N, N], of a chain of dense layers with one output on the native backend, x being float32 [N, d]: the sums of
 * `chainPass` and `termOf`, by the library's handles. Null for anything else, and for kernels so large that this gains
 * nothing.
 */
export function denseKernel(
  chain: readonly ChainLayer[] | null,
  x: tf.Tensor | tf.Tensor[],
  options: KernelOptions,
  count: number,
): EmpiricalKernel | null {
  if (!chain || count !== 1 || Array.isArray(x) || options.against || options.blockRows) return null;
  const n = x.shape[0];
  const scales = isOpen(chain, n) ? inputFactors(chain) : null;
  const program = scales && device().program();
  if (!scales || !program) return null;
  options.signal?.throwIfAborted();
  const data = new Float32Array(n * n);
  const layers = options.perLayer
    ? Object.fromEntries(chain.filter((l) => l.trainable).map(({ name }) => [name, new Float32Array(n * n)]))
    : null;
  const place: Place = { row: 0, column: 0, rows: n, cols: n, symmetric: true };
  try {
    for (const { chained, input, factor, cotangent } of terms(program, chain, scales, x as tf.Tensor2D)) {
      const { name, bias, biasScale } = chained;
      const a = program.values(program.times(input, input, false, true));
      const d = cotangent && program.values(program.times(cotangent, cotangent, false, true));
      const own = factor.whole ** 2 * (options.layerFactors?.[name] ?? 1);
      const shift = bias ? (biasScale / factor.input) ** 2 : 0;
      addTerm(data, place, a, d, own, shift);
      if (layers) addTerm(layers[name], place, a, d, own, shift);
    }
  } finally {
    program.dispose();
  }
  for (const target of [data, ...Object.values(layers ?? {})]) mirror(target, n);
  return { mode: options.mode ?? 'trace', rows: n, cols: n, data, outputs: 1, perLayer: layers, notes: [] };
}

/**
 * Constant in front of every layer's input, as stored: what homogeneous activations let through, times the layer's own
 * scale. Null where it, or that of the cotangents, would have to be multiplied in on the way: `chainPass` does.
 */
function inputFactors(chain: readonly ChainLayer[]): readonly number[] | null {
  const factors: number[] = [];
  let through = 1;
  for (const { scale, activation } of chain) {
    const factor = through * scale;
    factors.push(factor);
    through = isHomogeneous(activation) && factor > 0 ? factor : 1;
  }
  const back = chain.map((_, l) => chain.slice(l).reduce((product, { scale }) => product * scale, 1));
  return [...factors, ...back].every(canDefer) ? factors : null;
}

interface LayerTerm {
  readonly chained: ChainLayer;
  readonly input: Matrix;
  /** Null for 1. */
  readonly cotangent: Matrix | null;
  readonly factor: { readonly input: number; readonly whole: number };
}

/** Input and cotangent of every trainable layer, from the last one to the first. */
function* terms(
  program: Program,
  chain: readonly ChainLayer[],
  factors: readonly number[],
  x: tf.Tensor2D,
): Generator<LayerTerm> {
  const weights = chain.map(({ kernel }) => program.of(kernel));
  const inputs = [program.of(x)];
  const pre: Matrix[] = [];
  for (const [l, { bias, biasScale, activation }] of chain.slice(0, -1).entries()) {
    const through = isHomogeneous(activation) && factors[l] > 0;
    let h = product(inputs[l], weights[l], through ? 1 : factors[l]);
    if (bias) {
      const row = program.scaled(program.of(bias), through ? biasScale / factors[l] : biasScale);
      h = program.each('Add', h, row);
    }
    pre.push(h);
    inputs.push(nativeActivations[activation]?.forward(program, h) as Matrix);
  }
  const first = chain.findIndex(({ trainable }) => trainable);
  let cotangent: Matrix | null = null;
  let back = 1;
  for (let l = chain.length - 1; l >= first && first >= 0; l--) {
    if (cotangent) {
      const activation = nativeActivations[chain[l].activation];
      cotangent = activation?.back(program, cotangent, pre[l], inputs[l + 1]) as Matrix;
    }
    const factor = { input: factors[l], whole: factors[l] * back };
    if (chain[l].trainable) yield { chained: chain[l], input: inputs[l], cotangent, factor };
    if (l === first) break;
    cotangent = cotangent
      ? program.times(cotangent, weights[l], false, true)
      : program.repeated(program.reshaped(weights[l], 1, weights[l].shape[0]), x.shape[0]);
    back *= chain[l].scale;
  }

  /** A W times a factor, which goes to the smallest of the three. */
  function product(a: Matrix, w: Matrix, factor: number): Matrix {
    const [n, k, m] = [...a.shape, w.shape[1]];
    const sizes = [n * k, k * m, n * m];
    const least = sizes.indexOf(Math.min(...sizes));
    const left = least === 0 ? program.scaled(a, factor) : a;
    const result = program.times(left, least === 1 ? program.scaled(w, factor) : w);
    return least === 2 ? program.scaled(result, factor) : result;
  }
}
