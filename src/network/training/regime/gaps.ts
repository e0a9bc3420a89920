import type { BuiltModel } from '../../models/build.js';

/** |a - b| / |b|: distance of outputs relative to the size of the second. */
export function relativeGap(a: Float32Array, b: Float32Array): number {
  let gap = 0;
  let size = 0;
  for (let i = 0; i < a.length; i++) {
    gap += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return size > 0 ? Math.sqrt(gap / size) : 0;
}

/** Participation ratio (sum |u|)^2 / sum u^2 of the readout of a two-layer network. */
export function effective(built: BuiltModel): number {
  const u = built.model
    .getLayer(built.twoLayer?.readout ?? '')
    .getWeights()[0]
    .dataSync();
  let sum = 0;
  let square = 0;
  for (const v of u) {
    sum += Math.abs(v);
    square += v * v;
  }
  return square > 0 ? sum ** 2 / square : 0;
}
