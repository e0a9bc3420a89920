import { type Shape, stripOf } from './convolution.js';
import { padded, transformedFilters } from './filters.js';
import { operations, type Threads } from './threads.js';

/** One convolution of a run. Values of images lie with channels a multiple of 8; `shape` says how many are real. */
export interface RunLayer {
  /** Input and result; `from` counts the values of a patch where there are patches. */
  readonly shape: Shape;
  /** Inputs [n, height, width, from]; or patches [n, positions, from], `from` a multiple of 4: for the first one only. */
  readonly input: () => Float32Array;
  readonly patches: boolean;
  /** [3, 3, from, to], of all but patches. */
  readonly filters: ArrayLike<number> | null;
  /** Slope [n, height, width, from] of the activation in front; null where it is 1 where the input is positive, else 0. */
  readonly slope: (() => Float32Array) | null;
  readonly trainable: boolean;
  readonly bias: boolean;
}

/** Cotangents behind the last convolution of a run. */
export type Top =
  /** rows [O, to] times slopes [n, outHeight, outWidth, to]. */
  | { readonly rows: Float32Array; readonly slope: () => Float32Array }
  /** [n, O, outHeight, outWidth, to]. */
  | { readonly cotangents: () => Float32Array };

export interface RunResult {
  /** Gradients of each trainable layer's weights: n rows, over outputs (one where the top's rows are shared). */
  readonly rows: readonly (Float32Array | null)[];
  /** Cotangents [n, O, height, width, from] of the run's input, where wanted. */
  readonly cotangents: Float32Array | null;
}

const [headEntries, layerEntries] = [16, 24];

/** Values of the gradient of one output in a layer's row. */
const gradientSize = ({ shape, patches, bias }: RunLayer): number =>
  padded(shape.to) * ((patches ? 1 : 9) * inputsOf(shape, patches) + (bias ? 1 : 0));

const inputsOf = (shape: Shape, patches: boolean): number => (patches ? shape.from : padded(shape.from));

/** Bytes of shared memory that one sample of a run takes. */
export function sampleBytes(layers: readonly RunLayer[], outputs: number, down: boolean): number {
  let values = 0;
  for (const [l, layer] of layers.entries()) {
    const { height, width, outHeight, outWidth, to } = layer.shape;
    const from = inputsOf(layer.shape, layer.patches);
    values += layer.patches ? outHeight * outWidth * from : height * width * from;
    if (layer.slope) values += height * width * from;
    if (layer.trainable) values += outputs * gradientSize(layer);
    if (l === layers.length - 1) values += outputs * outHeight * outWidth * padded(to);
    if (l === 0 && down) values += outputs * height * width * from;
  }
  return 4 * values;
}

/**
 * Per-sample gradients of the weights of a run of 3 x 3 convolutions with activations between them, by one pass down from
 * the top's cotangents for each output, a sample a task. The results are gone with the next product.
 */
export function descend(
  threads: Threads,
  n: number,
  outputs: number,
  layers: readonly RunLayer[],
  top: Top,
  down: boolean,
): RunResult {
  threads.clear();
  const put = (values: Float32Array): number => {
    const at = threads.allocate(4 * values.length);
    threads.values(at, values.length).set(values);
    return at;
  };
  const shared = 'rows' in top;
  const last = layers.length - 1;
  const table = new Int32Array(headEntries + layerEntries * layers.length);
  const outs: ({ at: number; values: number } | null)[] = [];

  // Places in a thread's own scratch memory.
  let bytes = 0;
  const reserve = (values: number): number => {
    const at = bytes;
    bytes += 64 * Math.ceil(values / 16);
    return at;
  };
  const [most, across] = layers.reduce(
    ([c, w], { shape, patches }) => [
      Math.max(c, padded(shape.to), patches ? 0 : padded(shape.from)),
      Math.max(w, Math.ceil(shape.outWidth / 2), Math.ceil(shape.width / 2)),
    ],
    [8, 1],
  );
  const strip = stripOf(across, most);
  const stripValues = 16 * (strip * across + 4) * most;
  const [s, m] = [reserve(stripValues), reserve(stripValues)];
  let [image, gradient] = [0, 0];
  for (const { shape, patches } of layers) {
    if (patches) continue;
    const [from, to] = [padded(shape.from), padded(shape.to)];
    const room = (h: number, w: number) => (2 * Math.ceil(h / 2) + 2) * (2 * Math.ceil(w / 2) + 2);
    image = Math.max(image, room(shape.outHeight, shape.outWidth) * from);
    gradient = Math.max(gradient, 16 * from * to);
  }
  const [g, imageAt] = [reserve(gradient), reserve(image)];
  const topShape = layers[last].shape;
  const topTiles = Math.ceil(topShape.height / 2) * Math.ceil(topShape.width / 2) + 4;
  const ready = shared && (last > 0 || down) ? reserve(16 * topTiles * padded(topShape.to)) : 0;
  const cotangentsFrom = bytes;

  const places = layers.map((layer, l) => {
    const { height, width, outHeight, outWidth, to, margin } = layer.shape;
    const passed = l > 0 || down;
    // Cotangents lie with the margin that the way back wants.
    const back = passed ? 2 - margin : 0;
    const columns = passed ? 2 * Math.ceil(width / 2) + 2 : outWidth;
    const rows = passed ? 2 * Math.ceil(height / 2) + 2 : outHeight;
    return { back, row: 4 * columns * padded(to), image: reserve(rows * columns * padded(to)) };
  });
  const cotangentBytes = bytes - cotangentsFrom;

  for (const [l, layer] of layers.entries()) {
    const { shape, patches } = layer;
    const [from, to] = [inputsOf(shape, patches), padded(shape.to)];
    const tiles = Math.ceil(shape.outHeight / 2) * Math.ceil(shape.outWidth / 2);
    const passes = shared && l === last ? 1 : outputs;
    const size = passes * gradientSize(layer);
    const rows = layer.trainable ? { at: threads.allocate(4 * n * size), values: n * size } : null;
    outs.push(rows);
    const transformed = layer.filters ? transformedFilters(layer.filters, shape.from, shape.to, true) : null;
    const filters =
      !transformed || (l === 0 && !down)
        ? 0
        : put(l === last && shared ? weighted(transformed, top.rows, from) : transformed);
    const own = patches ? [0, 0] : [reserve(16 * tiles * from), reserve(16 * tiles * to)];
    const { back, row, image: cotangentsAt } = places[l];
    table.set(
      [
        ...[patches ? 0 : 1, shape.height, shape.width, from, shape.outHeight, shape.outWidth, to],
        ...[shape.margin, shape.margin, put(layer.input()), filters],
        ...[layer.slope ? 2 : 1, layer.slope ? put(layer.slope()) : 0],
        ...[rows?.at ?? 0, 4 * size, layer.bias ? 1 : 0],
        ...[own[0], cotangentsAt, own[1], row, back, back, layer.trainable ? 1 : 0],
      ],
      headEntries + layerEntries * l,
    );
  }
  const { height, width } = layers[0].shape;
  const downValues = down ? n * outputs * height * width * inputsOf(layers[0].shape, false) : 0;
  const downAt = down ? threads.allocate(4 * downValues) : 0;
  const topAt = put(shared ? top.slope() : top.cotangents());
  const norms = shared ? put(normsOf(top.rows, outputs)) : 0;
  table.set([layers.length, outputs, shared ? 1 : 0, topAt, norms, downAt, strip, s, m, ready, g, imageAt]);
  table.set([cotangentsFrom, cotangentBytes], 13);
  const tableAt = threads.allocate(4 * table.length);
  const scratch = threads.allocate(threads.count * bytes);
  threads.integers(tableAt, table.length).set(table);
  threads.do(operations.network, n, [tableAt, scratch, bytes]);
  return {
    rows: outs.map((out) => out && threads.values(out.at, out.values)),
    cotangents: down ? threads.values(downAt, downValues) : null,
  };
}

/** Norms over the outputs of rows [O, to]. */
function normsOf(rows: Float32Array, outputs: number): Float32Array {
  const to = rows.length / outputs;
  return Float32Array.from({ length: to }, (_, c) => {
    let sum = 0;
    for (let o = 0; o < outputs; o++) sum += rows[o * to + c] ** 2;
    return Math.sqrt(sum);
  });
}

/** Filters [to, from] of sixteen matrices in panels, for every output with its row of [O, to] multiplied in. */
function weighted(filters: Float32Array, rows: Float32Array, from: number): Float32Array {
  const to = filters.length / (16 * from);
  const outputs = rows.length / to;
  const out = new Float32Array(outputs * filters.length);
  let at = 0;
  for (let o = 0; o < outputs; o++)
    for (let p = 0; p < filters.length; p += 8) {
      const factor = rows[o * to + ((p >> 3) % to)];
      for (let c = 0; c < 8; c++, at++) out[at] = factor * filters[p + c];
    }
  return out;
}
