import * as tf from '../tf.js';
import { type Info, kernelOf, replaceKernel, type WasmBackend } from './wasmKernel.js';

const swapLast = (rank: number): number[] => [...Array(rank - 2).keys(), rank - 1, rank - 2];

/**
 * Makes transposes explicit before a product: XNNPACK serves only plain ones, and the other path is tens of times
 * slower.
 */
export function repairMatMul(): void {
  replaceKernel(tf.BatchMatMul, (original, { inputs, backend, attrs }) => {
    const made: Info[] = [];
    const plain = (x: Info, transpose: boolean): Info => {
      if (!transpose) return x;
      const out = kernelOf(tf.Transpose)({
        inputs: { x },
        backend,
        attrs: { perm: swapLast(x.shape.length) },
      });
      made.push(out);
      return out;
    };
    const a = plain(inputs['a'], Boolean(attrs['transposeA']));
    const b = plain(inputs['b'], Boolean(attrs['transposeB']));
    const out = original({
      inputs: { a, b },
      backend,
      attrs: { ...attrs, transposeA: false, transposeB: false },
    });
    for (const info of made) (backend as WasmBackend).disposeData(info.dataId);
    return out;
  });
}
