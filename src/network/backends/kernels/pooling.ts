import * as tf from '../../tf.js';
import { borrowFromCpu, overrideKernel } from './override.js';

/** Gradient of average pooling: every window shares dy among the inputs it really covers, not among its padding. */
function averagePoolGradient(
  dy: tf.Tensor4D,
  shape: [number, number, number, number],
  attrs: Readonly<Record<string, unknown>>,
): tf.Tensor {
  const info = tf.backend_util.computePool2DInfo(
    shape,
    attrs['filterSize'] as [number, number],
    attrs['strides'] as [number, number],
    1,
    attrs['pad'] as 'same',
    attrs['dimRoundingMode'] as 'floor' | undefined,
  );
  const values = dy.dataSync();
  const out = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const { inHeight, inWidth, inChannels: channels } = info;
  for (let n = 0; n < info.batchSize; n++) {
    for (let p = 0; p < info.outHeight; p++) {
      const top = p * info.strideHeight - info.padInfo.top;
      const [y0, y1] = [Math.max(0, top), Math.min(inHeight, top + info.effectiveFilterHeight)];
      for (let q = 0; q < info.outWidth; q++) {
        const left = q * info.strideWidth - info.padInfo.left;
        const [x0, x1] = [Math.max(0, left), Math.min(inWidth, left + info.effectiveFilterWidth)];
        const share = 1 / ((y1 - y0) * (x1 - x0));
        const from = ((n * info.outHeight + p) * info.outWidth + q) * channels;
        for (let y = y0; y < y1; y++) {
          for (let x = x0; x < x1; x++) {
            const to = ((n * inHeight + y) * inWidth + x) * channels;
            for (let c = 0; c < channels; c++) out[to + c] += values[from + c] * share;
          }
        }
      }
    }
  }
  return tf.tensor(out, shape);
}

/** Pooling gradients: wasm loses windows of negative values (max), and counts padding (average, cpu too). */
export function patchPooling(backendName: 'wasm' | 'cpu'): void {
  if (backendName === 'wasm') borrowFromCpu('wasm', 'MaxPoolGrad');
  overrideKernel(backendName, 'AvgPoolGrad', ({ dy, input }, attrs) =>
    averagePoolGradient(dy as tf.Tensor4D, input.shape as [number, number, number, number], attrs),
  );
}
