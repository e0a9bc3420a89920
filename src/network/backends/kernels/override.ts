import * as tf from '../../tf.js';

export type Inputs = Readonly<Record<string, tf.Tensor>>;
export type Attributes = Readonly<Record<string, unknown>>;
export type Compose = (
  inputs: Inputs,
  attributes: Attributes,
  original: Compose | null,
) => tf.Tensor | tf.TensorInfo;

const asTensor = (info: tf.TensorInfo): tf.Tensor =>
  info instanceof tf.Tensor ? info : tf.engine().makeTensorFromTensorInfo(info as never);

/**
 * Replaces a kernel of a backend by a composition of operations. Inside a kernel the tape is off, so these operations
 * are not recorded; whatever they make beside the result is disposed.
 */
export function overrideKernel(backendName: string, kernelName: string, compose: Compose): void {
  const old = tf.getKernel(kernelName, backendName);
  const original: Compose | null = old
    ? (inputs, attrs) => {
        const backend = tf.engine().findBackend(backendName);
        return old.kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend }) as tf.TensorInfo;
      }
    : null;
  if (old) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    setupFunc: old?.setupFunc,
    disposeFunc: old?.disposeFunc,
    kernelFunc: ({ inputs, attrs }) => {
      const named = Object.fromEntries(
        Object.entries(inputs).map(([name, info]) => [name, info && asTensor(info as tf.TensorInfo)]),
      );
      return tf
        .engine()
        .tidy(
          () => compose(named as Inputs, (attrs ?? {}) as Attributes, original) as never,
        ) as unknown as tf.TensorInfo;
    },
  });
}

/** Runs the kernel of the plain JavaScript backend on another backend's tensors, copying in and out. */
export function borrowFromCpu(backendName: string, kernelName: string): void {
  const cpu = tf.getKernel(kernelName, 'cpu');
  if (!cpu) throw new Error(`The cpu backend has no kernel ${kernelName}.`);
  overrideKernel(backendName, kernelName, (inputs, attrs) => {
    const backend = tf.engine().findBackend('cpu') as unknown as CpuBackend;
    const moved = Object.fromEntries(
      Object.entries(inputs).map(([name, t]) => [
        name,
        { dataId: backend.write(t.dataSync(), t.shape, t.dtype), shape: t.shape, dtype: t.dtype },
      ]),
    );
    const out = cpu.kernelFunc({
      inputs: moved as never,
      attrs: attrs as never,
      backend: backend as never,
    }) as tf.TensorInfo;
    const values = backend.readSync(out.dataId);
    const result = tf.tensor(values as Float32Array, out.shape, out.dtype);
    for (const info of [...Object.values(moved), out]) backend.disposeData(info.dataId);
    return result;
  });
}

interface CpuBackend {
  write(values: tf.TypedArray, shape: number[], dtype: string): object;
  readSync(id: object): tf.TypedArray;
  disposeData(id: object): boolean;
}
