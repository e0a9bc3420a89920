import * as tf from '../../tf.js';
import { overrideKernel } from './override.js';

/** Longest sum left to the backend's float32 loop, whose rounding error grows with the length. */
const longest = 1024;

/** Kernels over segments and long sums: missing or inaccurate on wasm. */
export function repairReductions(): void {
  overrideKernel('wasm', 'Sum', ({ x }, attrs, original) => {
    const axes = tf.util.parseAxisParam(
      (attrs['axis'] as number | number[]) ?? x.shape.map((_, i) => i),
      x.shape,
    );
    const count = axes.reduce((n, axis) => n * x.shape[axis], 1);
    const everything = count === x.size && x.dtype === 'float32';
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
