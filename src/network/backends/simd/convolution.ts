import { padded, transformedFilters } from './filters.js';
import { operations, type Threads } from './threads.js';

/** A 3 x 3 convolution of stride 1: height, width and channels of its input and result, and the zeros above and beside. */
export interface Shape {
  readonly height: number;
  readonly width: number;
  readonly from: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly to: number;
  /** 1 for 'same', 0 for 'valid'. */
  readonly margin: number;
}

/** Tile rows of an image that are transformed at once: few enough that both sides of their products stay cached. */
export const stripOf = (across: number, channels: number): number =>
  Math.max(1, Math.min(64, Math.floor(2 ** 15 / (16 * across * channels))));

const tilesOf = (length: number): number => Math.ceil(length / 2);

/**
 * Convolves n images [n, height, width, padded(from)] with filters [3, 3, from, to], an image a task.
 * `out()` gives room for [n, outHeight, outWidth, padded(to)].
 */
export function convolve(
  threads: Threads,
  n: number,
  images: () => Float32Array,
  filters: ArrayLike<number>,
  bias: ArrayLike<number> | null,
  relu: boolean,
  shape: Shape,
  out: () => Float32Array,
): void {
  const { height, width, outHeight, outWidth, margin } = shape;
  const [from, to] = [padded(shape.from), padded(shape.to)];
  threads.clear();
  const put = (values: Float32Array): number => {
    const at = threads.allocate(4 * values.length);
    threads.values(at, values.length).set(values);
    return at;
  };
  const filtersAt = put(transformedFilters(filters, shape.from, shape.to, false));
  const biasRow = new Float32Array(to);
  if (bias) biasRow.set(bias);
  const biasAt = put(biasRow);
  const [down, across] = [tilesOf(outHeight), tilesOf(outWidth)];
  const strip = stripOf(across, Math.max(from, to));
  const scratchBytes =
    64 *
    Math.ceil(
      (4 * ((2 * down + 2) * (2 * across + 2) * from + 16 * (strip * across + 4) * (from + to))) / 64,
    );
  const scratch = threads.allocate(threads.count * scratchBytes);
  const [size, outSize] = [height * width * from, outHeight * outWidth * to];
  const most = Math.max(1, Math.min(n, Math.floor(2 ** 22 / (size + outSize))));
  const imagesAt = threads.allocate(4 * most * size);
  const outAt = threads.allocate(4 * most * outSize);
  for (let i = 0; i < n; i += most) {
    const some = Math.min(most, n - i);
    threads.values(imagesAt, some * size).set(images().subarray(i * size, (i + some) * size));
    const where = [imagesAt, filtersAt, bias ? biasAt : 0, outAt];
    const geometry = [height, width, from, outHeight, outWidth, to, margin, margin, relu ? 1 : 0];
    threads.do(operations.convolution, some, [...where, ...geometry, scratch, scratchBytes, strip]);
    out().set(threads.values(outAt, some * outSize), i * outSize);
  }
}
