import * as tf from '../../tf.js';
import { addressOf, inPlace } from '../inPlace/index.js';
import { makeOutput } from './heap.js';
import { overrideKernel } from './override.js';

let loops: ReturnType<typeof inPlace> = null;

/** Longest sum left to the backend's float32 loop, whose rounding error grows with the length. */
const longest = 1024;

/**
 * Sums over axes that lie side by side in front of others, by rows as they lie in memory: the backend turns the tensor
 * first. Null for other axes.
 */
function overRows(x: tf.Tensor, axes: readonly number[], count: number): tf.TensorInfo | null {
  const [first, last] = [Math.min(...axes), Math.max(...axes)];
  if (!loops || last - first + 1 !== axes.length || last === x.rank - 1 || x.size === 0) return null;
  const outer = x.shape.slice(0, first).reduce((n, size) => n * size, 1);
  const columns = x.size / (outer * count);
  const out = makeOutput([outer, columns]);
  const [from, to] = [addressOf(x), addressOf(out)];
  for (let i = 0; i < outer; i++)
    loops.columnSums(from + 4 * i * count * columns, to + 4 * i * columns, count, columns);
  return out;
}

/** Kernels over segments and long sums: missing or inaccurate on wasm. */
export function patchReductions(): void {
  loops = inPlace();
  overrideKernel('wasm', 'Sum', ({ x }, attrs, original) => {
    const axes = tf.util.parseAxisParam(
      (attrs['axis'] as number | number[]) ?? x.shape.map((_, i) => i),
      x.shape,
    );
    const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
    const everything = count === x.size && x.dtype === 'float32';
    const sums = !everything && x.dtype === 'float32' ? overRows(x, axes, count) : null;
    if (sums) {
      const kept = x.shape.map((n, i) => (axes.includes(i) ? 1 : n));
      return tf.reshape(
        tf.engine().makeTensorFromTensorInfo(sums as never),
        attrs['keepDims'] ? kept : x.shape.filter((_, i) => !axes.includes(i)),
      );
    }
    if (!everything || count <= longest) return original?.({ x }, attrs, null) as tf.TensorInfo;
    let sum = 0;
    for (const v of x.dataSync()) sum += v;
    return tf.tensor([sum], attrs['keepDims'] ? x.shape.map(() => 1) : [], 'float32');
  });
  overrideKernel('wasm', 'UnsortedSegmentSum', ({ x, segmentIds }, attrs) => {
    const count = attrs['numSegments'] as number;
    const ids = segmentIds.dataSync();
    const values = x.dataSync();
    const width = ids.length > 0 ? values.length / ids.length : 0;
    const out = new Float32Array(count * width);
    for (let i = 0; i < ids.length; i++) {
      const at = ids[i] * width;
      if (ids[i] < 0 || ids[i] >= count) continue;
      for (let k = 0; k < width; k++) out[at + k] += values[i * width + k];
    }
    return tf.tensor(out, [count, ...x.shape.slice(segmentIds.rank)]);
  });
}
