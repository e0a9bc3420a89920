import { InputError } from '../errors.js';
import { type Matrix, matrix } from '../linalg/matrix.js';
import type { Architecture, Layer } from './architecture.js';
import { requireFiniteKernel, requireFittingWindows } from './limitChecks.js';
import { type Axis, slide, sumAlong, sumTogether } from './windows.js';

/** Inputs: shape [N, d], [N, length, channels] or [N, height, width, channels], row-major. */
export interface Inputs {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

interface State {
  k: Float64Array;
  theta: Float64Array;
  h: number;
  w: number;
  channels: number | undefined;
  /** All position pairs [h, w, h, w] rather than the diagonal [h, w]. */
  full: boolean;
}

interface Walk {
  readonly ntk: boolean;
  readonly standard: boolean;
  readonly pairs: number;
  /** Variances of each map's input, in order of visit: [sample, position]. */
  readonly variances: Float64Array[];
  readonly record: boolean;
  readonly rowsOf: (pair: number) => readonly [Float64Array[], number, Float64Array[], number];
  slot: number;
}

const pools = (l: Layer): boolean =>
  l.type === 'globalAveragePool' ||
  l.type === 'averagePool' ||
  (l.type === 'residual' && [...l.branch, ...l.shortcut].some(pools));

function eachPair(s: State, walk: Walk, map: (at: number, v1: number, v2: number) => void): void {
  const size = s.h * s.w;
  const per = s.full ? size * size : size;
  const slot = walk.slot++;
  if (walk.record) {
    const own = new Float64Array(walk.pairs * size);
    for (let b = 0; b < walk.pairs; b++)
      for (let p = 0; p < size; p++) own[b * size + p] = s.k[b * per + (s.full ? p * size + p : p)];
    walk.variances[slot] = own;
  }
  for (let b = 0; b < walk.pairs; b++) {
    const [first, i, second, j] = walk.rowsOf(b);
    const left = first[slot];
    const right = second[slot];
    for (let e = 0; e < per; e++) {
      const p = s.full ? Math.floor(e / size) : e;
      const q = s.full ? e % size : e;
      map(b * per + e, left[i * size + p], right[j * size + q]);
    }
  }
}

function windowed(x: Float64Array, s: State, n: number, y: Axis, z: Axis, mean: boolean): Float64Array {
  if (!s.full) return sumAlong(sumAlong(x, n, y, s.w, mean), n * y.out, z, 1, mean);
  if (!mean) return sumTogether(sumTogether(x, n, y, s.w, s.w), n * y.out, z, y.out, 1);
  let out = sumAlong(x, n, y, s.w * s.h * s.w, true);
  out = sumAlong(out, n * y.out, z, s.h * s.w, true);
  out = sumAlong(out, n * y.out * z.out, y, s.w, true);
  return sumAlong(out, n * y.out * z.out * y.out, z, 1, true);
}

function weigh(s: State, walk: Walk, l: Extract<Layer, { w: number }>, window: number): void {
  const w2 = l.w * l.w;
  const b2 = l.b === null ? 0 : l.b * l.b;
  if (walk.ntk && walk.standard && !l.gains && s.channels === undefined)
    throw new InputError(
      'A layer before the last has no width ("width" of dense, "filters" of conv), which the NTK in the standard ' +
        'parameterisation needs. Give every hidden layer one, or use "parameterization": "ntk".',
      { field: 'layers' },
    );
  const fanIn = (s.channels ?? 1) * window;
  const gains =
    l.gains ?? (walk.standard ? { kernel: fanIn, bias: l.b === null ? 0 : 1 } : { kernel: w2, bias: b2 });
  for (let e = 0; e < s.k.length; e++) {
    const before = s.k[e];
    s.k[e] = w2 * before + b2;
    if (walk.ntk) s.theta[e] = w2 * s.theta[e] + gains.kernel * before + gains.bias;
  }
  s.channels = l.width;
}

function slideBoth(s: State, walk: Walk, l: Extract<Layer, { window: unknown }>, mean: boolean): void {
  const y = slide(s.h, l.window[0], l.strides[0], l.padding);
  const z = slide(s.w, l.window[1], l.strides[1], l.padding);
  if (y.out < 1 || z.out < 1)
    throw new InputError(
      `The ${l.type} window ${l.window.join(' x ')} is larger than its input of ${s.h} x ${s.w} positions; ` +
        'use a smaller window or "padding": "same".',
      { field: 'layers' },
    );
  s.k = windowed(s.k, s, walk.pairs, y, z, mean);
  if (walk.ntk) s.theta = windowed(s.theta, s, walk.pairs, y, z, mean);
  s.h = y.out;
  s.w = z.out;
}

function collapse(x: Float64Array, s: State, n: number, trace: boolean): Float64Array {
  const size = s.h * s.w;
  const per = s.full ? size * size : size;
  const out = new Float64Array(n);
  for (let b = 0; b < n; b++) {
    let sum = 0;
    const step = s.full && trace ? size + 1 : 1;
    for (let e = 0; e < per; e += step) sum += x[b * per + e];
    out[b] = sum / (trace ? size : per);
  }
  return out;
}

function onlyDiagonal(x: Float64Array, n: number, size: number): Float64Array {
  const out = new Float64Array(n * size);
  for (let b = 0; b < n; b++) for (let p = 0; p < size; p++) out[b * size + p] = x[(b * size + p) * size + p];
  return out;
}

function step(s: State, walk: Walk, l: Layer, out: Float64Array): void {
  switch (l.type) {
    case 'dense':
      weigh(s, walk, l, 1);
      return;
    case 'conv': {
      slideBoth(s, walk, l, false);
      const window = l.window[0] * l.window[1];
      for (let e = 0; e < s.k.length; e++) s.k[e] /= window;
      for (let e = 0; walk.ntk && e < s.k.length; e++) s.theta[e] /= window;
      weigh(s, walk, l, window);
      return;
    }
    case 'averagePool':
      slideBoth(s, walk, l, true);
      return;
    case 'activation':
      eachPair(s, walk, (e, v1, v2) => {
        l.map(v1, s.k[e], v2, out);
        s.k[e] = out[0];
        if (walk.ntk) s.theta[e] *= out[1];
      });
      return;
    case 'layerNorm':
      eachPair(s, walk, (e, v1, v2) => {
        const d = Math.sqrt((l.epsilon + v1) * (l.epsilon + v2));
        s.k[e] = d > 0 ? s.k[e] / d : 0;
        if (!walk.ntk) return;
        s.theta[e] = d > 0 ? s.theta[e] / d : 0;
        if (l.gains) s.theta[e] += l.gains.scale * s.k[e] + l.gains.shift;
      });
      return;
    case 'flatten':
    case 'globalAveragePool': {
      const trace = l.type === 'flatten';
      s.k = collapse(s.k, s, walk.pairs, trace);
      if (walk.ntk) s.theta = collapse(s.theta, s, walk.pairs, trace);
      if (trace && s.channels !== undefined) s.channels *= s.h * s.w;
      s.h = 1;
      s.w = 1;
      s.full = false;
      return;
    }
    case 'residual': {
      const other: State = { ...s, k: s.k.slice(), theta: s.theta.slice() };
      for (const inner of l.branch) step(s, walk, inner, out);
      for (const inner of l.shortcut) step(other, walk, inner, out);
      const clash = s.channels !== undefined && other.channels !== undefined && s.channels !== other.channels;
      if (s.h !== other.h || s.w !== other.w || clash)
        throw new InputError(
          `A residual sum meets ${s.h} x ${s.w} x ${s.channels ?? '?'} from its branch and ${other.h} x ${other.w} x ` +
            `${other.channels ?? '?'} from its shortcut; make strides and widths agree.`,
          { field: 'layers' },
        );
      for (let e = 0; e < s.k.length; e++) s.k[e] += other.k[e];
      for (let e = 0; walk.ntk && e < s.k.length; e++) s.theta[e] += other.theta[e];
      s.channels ??= other.channels;
    }
  }
}

function sizes(x: Inputs): { n: number; h: number; w: number; c: number } {
  const [n, ...rest] = x.shape;
  if (rest.length < 1 || rest.length > 3)
    throw new InputError(
      `The inputs have shape [${x.shape.join(', ')}]; they must be [N, d], [N, length, channels] or ` +
        '[N, height, width, channels].',
    );
  const c = rest[rest.length - 1];
  return { n, h: rest.length > 1 ? rest[0] : 1, w: rest.length > 2 ? rest[1] : 1, c };
}

/**
 * NNGP or NTK kernel of one output unit at infinite width, float64: [N, N], or [N, M] with `x2`. Only one row (dense) or
 * one pair (images with pooling) of position covariances is alive at a time. Sources: Novak 2019, Arora 2019,
 * Sohl-Dickstein 2020 (standard parameterisation). Throws InputError when inputs and architecture do not fit.
 */
export function limitKernel(
  arch: Architecture,
  x: Inputs,
  x2: Inputs | null,
  options: { readonly kind: 'nngp' | 'ntk' },
): Matrix {
  const a = sizes(x);
  const other = x2 ?? x;
  const b = sizes(other);
  if (x.shape.slice(1).join() !== other.shape.slice(1).join())
    throw new InputError(
      `The second inputs have shape [${other.shape.join(', ')}], the first [${x.shape.join(', ')}]; all but the ` +
        'number of samples must agree.',
    );
  requireFittingWindows(arch.layers, x.shape);
  const size = a.h * a.w;
  const lastPool = arch.layers.reduce((last, l, k) => (pools(l) ? k : last), -1);
  const ntk = options.kind === 'ntk';
  const out = new Float64Array(2);

  const run = (
    pairs: readonly (readonly [Inputs, number, Inputs, number])[],
    rowsOf: Walk['rowsOf'],
    record: Float64Array[] | null,
  ): Float64Array => {
    const full = lastPool >= 0 && size > 1;
    const per = full ? size * size : size;
    const k = new Float64Array(pairs.length * per);
    pairs.forEach(([left, i, right, j], m) => {
      for (let e = 0; e < per; e++) {
        const p = (i * size + (full ? Math.floor(e / size) : e)) * a.c;
        const q = (j * size + (full ? e % size : e)) * a.c;
        let sum = 0;
        for (let c = 0; c < a.c; c++) sum += left.data[p + c] * right.data[q + c];
        k[m * per + e] = sum / a.c;
      }
    });
    const s: State = { k, theta: new Float64Array(k.length), h: a.h, w: a.w, channels: a.c, full };
    const walk: Walk = {
      ntk: ntk && record === null,
      standard: arch.parameterization === 'standard',
      pairs: pairs.length,
      variances: record ?? [],
      record: record !== null,
      rowsOf,
      slot: 0,
    };
    arch.layers.forEach((l, at) => {
      step(s, walk, l, out);
      if (at === lastPool && s.full) {
        const n = s.h * s.w;
        s.k = onlyDiagonal(s.k, pairs.length, n);
        s.theta = onlyDiagonal(s.theta, pairs.length, n);
        s.full = false;
      }
    });
    if (s.h * s.w !== 1)
      throw new InputError(
        `The output still has ${s.h} x ${s.w} positions; put flatten or globalAveragePool before the last dense.`,
        { field: 'layers' },
      );
    return walk.ntk ? s.theta : s.k;
  };

  const variancesOf = (z: Inputs, n: number): Float64Array[][] =>
    Array.from({ length: n }, (_, i) => {
      const own: Float64Array[] = [];
      run([[z, i, z, i]], () => [own, 0, own, 0], own);
      return own;
    });
  const left = variancesOf(x, a.n);
  const right = x2 ? variancesOf(x2, b.n) : left;
  const result = matrix(a.n, b.n);
  const block = lastPool >= 0 ? 1 : Math.max(1, Math.floor(65536 / size));
  for (let i = 0; i < a.n; i++) {
    const end = x2 ? b.n : i + 1;
    for (let start = 0; start < end; start += block) {
      const count = Math.min(block, end - start);
      const pairs = Array.from({ length: count }, (_, m) => [x, i, other, start + m] as const);
      const values = run(pairs, (m) => [left[i], 0, right[start + m], 0], null);
      for (let m = 0; m < count; m++) {
        result.data[i * b.n + start + m] = values[m];
        if (!x2) result.data[(start + m) * b.n + i] = values[m];
      }
    }
  }
  requireFiniteKernel(result);
  return result;
}
