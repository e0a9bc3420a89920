import { device } from '../../devices/index.js';
import type { Window } from '../../patterns/convStack.js';
import * as tf from '../../tf.js';
import { isOne } from './patches.js';

/** Numbers that lie in 64 bytes: views of an image from such a place on cost the native library no copy. */
const aligned = 16;

/**
 * Sums over positions of cotangents [n, H, W, m] times what each tap of a convolution sees, [n, m, kh kw c], on the native
 * backend and without its patches: image and cotangents are padded alike and laid flat, so that what a tap sees is the
 * image from some offset on. Cotangents are zero in the margin, so that it does not matter what stands there. Null for
 * strides and dilations, and where the views would be copies.
 */
export function shiftedGradients(image: tf.Tensor4D, delta: tf.Tensor4D, window: Window): tf.Tensor3D | null {
  const { size, strides, dilations, padding } = window;
  const [n, h, w, channels] = image.shape;
  if (channels % aligned !== 0 || !isOne(strides) || !isOne(dilations)) return null;
  const program = device().program();
  if (!program) return null;
  const [kh, kw] = size;
  const [, height, width, m] = delta.shape;
  const [top, left] = padding === 'same' ? [(kh - 1) >> 1, (kw - 1) >> 1] : [0, 0];
  const [rows, columns] = [height + kh - 1, width + kw - 1];
  const positions = rows * columns;
  // The last views reach beyond the last image, into one of zeros.
  const images = tf.pad4d(image, [
    [0, 1],
    [top, rows - h - top],
    [left, columns - w - left],
    [0, 0],
  ]);
  const spread = tf.pad4d(delta, [
    [0, 0],
    [0, kh - 1],
    [0, kw - 1],
    [0, 0],
  ]);
  try {
    const flat = program.reshaped(program.of(images), (n + 1) * positions, channels);
    const cotangents = program.reshaped(program.of(spread), n, positions, m);
    const taps = Array.from({ length: kh * kw }, (_, tap) => {
      const from = Math.floor(tap / kw) * columns + (tap % kw);
      const seen = program.reshaped(program.rows(flat, from, n * positions), n, positions, channels);
      return program.times(cotangents, seen, true);
    });
    return program.tensor(program.joined(taps)) as tf.Tensor3D;
  } finally {
    program.dispose();
    tf.dispose([images, spread]);
  }
}
