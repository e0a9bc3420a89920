import * as tf from '../../tf.js';

/** A filter with zeros between its numbers along one axis: what dilation d makes of it. */
function spacedAlong(t: tf.Tensor, axis: number, d: number): tf.Tensor {
  if (d === 1) return t;
  const [before, size, behind] = [t.shape.slice(0, axis), t.shape[axis], t.shape.slice(axis + 1)];
  const margins = [...before, size, 1, ...behind].map((_, k): [number, number] => [
    0,
    k === axis + 1 ? d - 1 : 0,
  ]);
  const wide = tf.pad(tf.expandDims(t, axis + 1), margins);
  const long = tf.reshape(wide, [...before, size * d, ...behind]);
  return tf.slice(
    long,
    long.shape.map(() => 0),
    [...before, (size - 1) * d + 1, ...behind],
  );
}

/** Every d-th number along one axis, from the first. */
function everyAlong(t: tf.Tensor, axis: number, d: number): tf.Tensor {
  if (d === 1) return t;
  const [before, length, behind] = [t.shape.slice(0, axis), t.shape[axis], t.shape.slice(axis + 1)];
  const size = (length - 1) / d + 1;
  const padded = tf.pad(
    t,
    t.shape.map((_, k): [number, number] => [0, k === axis ? d - 1 : 0]),
  );
  const apart = tf.reshape(padded, [...before, size, d, ...behind]);
  const first = tf.slice(
    apart,
    apart.shape.map(() => 0),
    apart.shape.map((n, k) => (k === axis + 1 ? 1 : n)),
  );
  return tf.reshape(first, [...before, size, ...behind]);
}

/** Dilations as one number an axis. */
export const dilationsOf = (attrs: Readonly<Record<string, unknown>>, axes: number): readonly number[] => {
  const given = (attrs['dilations'] ?? 1) as number | number[];
  return Array.isArray(given) ? given : Array.from({ length: axes }, () => given);
};

/** A dilated convolution is a plain one with this filter. */
export const spaced = (filter: tf.Tensor, dilations: readonly number[]): tf.Tensor =>
  dilations.reduce((t, d, axis) => spacedAlong(t, axis, d), filter);

/** Back from the gradient in a spaced filter to that in the filter itself. */
export const unspaced = (gradient: tf.Tensor, dilations: readonly number[]): tf.Tensor =>
  dilations.reduce((t, d, axis) => everyAlong(t, axis, d), gradient);
