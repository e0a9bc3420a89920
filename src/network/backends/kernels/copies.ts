import * as tf from '../../tf.js';
import type { Numbers, WasmBackend } from './heap.js';

/**
 * Slices and copies on wasm. The backend's own slice copies the whole tensor out of its memory first, however little is
 * wanted, and its identity copies what could be shared.
 */
export function patchCopies(): void {
  replaceKernel('Slice', ({ x }, backend, attrs) => {
    const [begin, size] = tf.slice_util.parseSliceParams(
      x as tf.Tensor,
      attrs['begin'] as number[],
      attrs['size'] as number[],
    );
    const out = backend.makeOutput(size, x.dtype);
    if (tf.util.sizeFromShape(size) > 0)
      copySlice(backend.typedArrayFromHeap(x), [...x.shape], begin, size, backend.typedArrayFromHeap(out));
    return out;
  });
  replaceKernel('Identity', ({ x }, backend) => {
    backend.incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  });
}

/** Copies a box out of a row-major array, a contiguous run at a time. */
function copySlice(
  from: Numbers,
  shape: readonly number[],
  begin: readonly number[],
  size: readonly number[],
  to: Numbers,
): void {
  const strides = [...tf.util.computeStrides([...shape]), 1].slice(0, shape.length);
  // Trailing axes taken whole belong to one run with the axis before them.
  let axis = shape.length - 1;
  while (axis > 0 && size[axis] === shape[axis]) axis--;
  const run = size.slice(Math.max(0, axis)).reduce((a, b) => a * b, 1);
  const offset = begin.reduce((sum, b, k) => sum + b * strides[k], 0);
  const index = new Array<number>(Math.max(0, axis)).fill(0);
  for (let at = 0, start = offset; at < to.length; at += run) {
    to.set(from.subarray(start, start + run), at);
    for (let k = axis - 1; k >= 0; k--) {
      start += strides[k];
      if (++index[k] < size[k]) break;
      start -= size[k] * strides[k];
      index[k] = 0;
    }
  }
}

type Kernel = (
  inputs: Readonly<Record<string, tf.TensorInfo>>,
  backend: WasmBackend,
  attrs: Readonly<Record<string, unknown>>,
) => tf.TensorInfo;

/** Puts a kernel in place of the backend's own one, which keeps strings. */
function replaceKernel(kernelName: string, kernel: Kernel): void {
  const old = tf.getKernel(kernelName, 'wasm');
  if (!old) throw new Error(`The wasm backend has no kernel ${kernelName}.`);
  tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    ...old,
    kernelFunc: (args) => {
      const inputs = args.inputs as Record<string, tf.TensorInfo>;
      if (inputs['x'].dtype === 'string') return old.kernelFunc(args);
      return kernel(inputs, args.backend as WasmBackend, (args.attrs ?? {}) as Record<string, unknown>);
    },
  });
}
