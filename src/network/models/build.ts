import { InputError } from '../../core/errors.js';
import { Random } from '../../core/random.js';
import * as tf from '../tf.js';
import type { Sabotage } from '../training/sabotage.js';
import { Elementwise, ScaledDense } from './layers.js';
import { seedModel } from './seeding.js';
import type {
  MlpModel,
  ModelBuilder,
  ModelSpec,
  ResidualModel,
  TwoLayerModel,
  TwoLayerScale,
} from './spec.js';

export interface ModelContext {
  /** Shape of one input, without the batch axis. */
  readonly inputShape: readonly number[];
  readonly outputs: number;
  readonly seed: number;
  /** Fault planted by a claim's self-test; those that concern the start act here. */
  readonly sabotage?: Sabotage;
}

/** Facts about a two-layer network that its layers model does not carry. */
export interface TwoLayerFacts {
  readonly width: number;
  /** Top-layer scale alpha of f = (alpha / m) sum u h. */
  readonly alpha: number;
  readonly features: string;
  readonly readout: string;
}

export interface BuiltModel {
  readonly model: tf.LayersModel;
  /** Absent for plain builders. */
  readonly spec?: ModelSpec;
  readonly twoLayer?: TwoLayerFacts;
  /** Factor on the step size by layer name, as a parameterisation asks for; 1 where absent. */
  readonly rates: Readonly<Record<string, number>>;
  /** Weights that the file set itself and that keep their values, where there are some. */
  readonly kept?: { readonly weights: number; readonly of: number };
}

/** alpha of a width, by name, as a power `m^t`, or as it is. Throws an InputError for anything else. */
export function alphaOf(scale: TwoLayerScale, width: number): number {
  if (typeof scale === 'number') return scale;
  if (scale === 'ntk' || scale === 'standard') return Math.sqrt(width);
  if (scale === 'mean-field') return 1;
  const exponent = Number(scale.slice(2));
  if (scale.startsWith('m^') && Number.isFinite(exponent)) return width ** exponent;
  throw new InputError(
    `model.scale is "${scale}"; it must be 'ntk', 'mean-field', 'standard', a power such as 'm^0.3', or a number.`,
    { field: 'model.scale' },
  );
}

/** Builds the network of a definition with seeded weights; the same seed gives the same weights on every backend. */
export function buildModel(spec: ModelSpec | ModelBuilder, context: ModelContext): BuiltModel {
  if (typeof spec === 'function') return fromBuilder(spec, context);
  if (context.inputShape.length !== 1)
    throw new InputError(
      `model.kind "${spec.kind}" takes flat inputs, but the data has shape [${context.inputShape.join(', ')}]. Ask for flat data (shape: 'flat') or write the model as a builder.`,
      { field: 'data.shape' },
    );
  switch (spec.kind) {
    case 'twoLayer':
      return twoLayer(spec, context);
    case 'mlp':
      return mlp(spec, context);
    case 'residual':
      return residual(spec, context);
  }
}

function fromBuilder(builder: ModelBuilder, context: ModelContext): BuiltModel {
  // Parameters with defaults (units = 12) are the author's own; only one that must be given is tf.
  const model =
    builder.length > 0 ? (builder as (t: typeof tf) => unknown)(tf) : (builder as () => unknown)();
  if (model instanceof Promise) {
    model.catch(() => undefined);
    throw new InputError(
      'The model builder is asynchronous. Await it, and give buildModel a function that returns the tf.LayersModel.',
      { field: 'model' },
    );
  }
  if (!(model instanceof tf.LayersModel))
    throw new InputError('The model builder must return a tf.LayersModel (from tf.sequential or tf.model).', {
      field: 'model',
    });
  if ((builder as { keepsWeights?: boolean }).keepsWeights) return { model, rates: {} };
  const { kept, of } = seedModel(model, context.seed);
  return { model, rates: {}, ...(kept > 0 ? { kept: { weights: kept, of } } : {}) };
}

function setWeights(layer: ScaledDense, kernel: Float32Array, bias?: Float32Array): void {
  const [rows, cols] = layer.kernel.shape as [number, number];
  const tensors = [tf.tensor2d(kernel, [rows, cols]), ...(bias && layer.bias ? [tf.tensor1d(bias)] : [])];
  layer.setWeights(tensors);
  tf.dispose(tensors);
}

const normals = (random: Random, count: number, deviation: number): Float32Array =>
  Float32Array.from(random.normals(count, deviation));

function twoLayer(spec: TwoLayerModel, context: ModelContext): BuiltModel {
  const { width, init } = spec;
  const symmetric = init === 'symmetric' && context.sabotage !== 'unsymmetrised-start';
  if (init === 'symmetric' && width % 2 !== 0)
    throw new InputError(
      `model.width is ${width}; a symmetric start pairs neurons, so the width must be even.`,
      { field: 'model.width' },
    );
  const d = context.inputShape[0];
  const { outputs } = context;
  const stated = alphaOf(spec.scale, width);
  const alpha = context.sabotage === 'wrong-alpha' ? Math.sqrt(stated * width) : stated;
  const inWeights = spec.scale === 'standard';
  const thetaDeviation = spec.thetaStart === 'unit' ? 1 : 1 / Math.sqrt(d);
  const features = new ScaledDense({
    name: 'features',
    units: width,
    factor: 1,
    deviation: thetaDeviation,
    biasDeviation: thetaDeviation,
    useBias: spec.bias,
    trainable: spec.train !== 'readout',
    inputShape: [d],
  });
  const readout = new ScaledDense({
    name: 'readout',
    units: outputs,
    factor: inWeights ? 1 : alpha / width,
    deviation: inWeights ? alpha / width : 1,
    useBias: false,
  });
  const model = tf.sequential({
    layers: [features, new Elementwise({ name: 'activation', activation: spec.activation }), readout],
  });
  const random = new Random(context.seed).fork('model');
  const free = symmetric ? width / 2 : width;
  const spread = context.sabotage === 'wrong-start-variance' ? 3 : 1;
  const deviation = thetaDeviation * spread;
  const theta = columns(normals(random.fork('theta'), d * free, deviation), d, free, width);
  const bias = columns(normals(random.fork('bias'), free, deviation), 1, free, width);
  const u = normals(random.fork('u'), free * outputs, inWeights ? alpha / width : 1);
  const readoutKernel = symmetric ? opposed(u, outputs) : u;
  setWeights(features, theta, bias);
  setWeights(readout, readoutKernel);
  return { model, spec, twoLayer: { width, alpha, features: 'features', readout: 'readout' }, rates: {} };
}

/**
 * [rows, free] values with every column repeated until there are `width` of them. Partners lie side by side: a sum over
 * the units then meets +a and -a one after the other (or in mirrored lanes) and is exactly 0 in float32, which it is not
 * when the halves lie apart.
 */
function columns(values: Float32Array, rows: number, free: number, width: number): Float32Array {
  if (free === width) return values;
  const out = new Float32Array(rows * width);
  const copies = width / free;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < width; j++) out[i * width + j] = values[i * free + Math.floor(j / copies)];
  }
  return out;
}

/** Rows [free, outputs] each followed by its negative: [2 free, outputs]. */
function opposed(u: Float32Array, outputs: number): Float32Array {
  const out = new Float32Array(2 * u.length);
  for (let i = 0; i < u.length; i++) {
    const at = 2 * (i - (i % outputs)) + (i % outputs);
    out[at] = u[i];
    out[at + outputs] = -u[i];
  }
  return out;
}

/** How one layer of a deep network starts and moves: h = factor (a W) + biasFactor b. */
interface LayerScales {
  readonly factor: number;
  /** Standard deviation of the entries of W. */
  readonly deviation: number;
  readonly biasFactor: number;
  readonly biasDeviation: number;
  /** Factor on the step size of W and b. */
  readonly rate: number;
}

function layerScales(
  spec: MlpModel,
  fanIn: number,
  fanOut: number,
  position: 'first' | 'hidden' | 'last',
): LayerScales {
  const { sigmaW, sigmaB } = spec;
  const root = Math.sqrt(fanIn);
  // A bias of zero variance still moves, with the factor 1.
  const biasFactor = sigmaB || 1;
  const biasDeviation = sigmaB === 0 ? 0 : 1;
  const ntk = { factor: sigmaW / root, deviation: 1, biasFactor, biasDeviation, rate: 1 };
  switch (spec.parameterization) {
    case 'ntk':
      return ntk;
    case 'standard':
      return { factor: 1, deviation: sigmaW / root, biasFactor: 1, biasDeviation: sigmaB, rate: 1 };
    case 'mean-field':
      // Gradients are 1 / fan-out times 1 / fan-in (of a hidden or output weight): the rates undo that, so that every
      // weight moves by O(1) at any width (Mei, Montanari and Nguyen 2018; Nguyen and Pham 2020 for depth).
      if (position === 'first') return { ...ntk, rate: fanOut };
      return {
        factor: sigmaW / fanIn,
        deviation: 1,
        // The bias's own gradient lacks the factor 1 / fan-in, so its square takes the surplus rate away.
        biasFactor: biasFactor / root,
        biasDeviation: biasDeviation * root,
        rate: position === 'last' ? fanIn : fanIn * fanOut,
      };
    case 'maximal-update':
      // Yang and Hu 2021, table 1, whose input layer sqrt(n) w with w ~ N(0, 1/n) at rate 1 is w ~ N(0, 1) at rate n.
      if (position === 'first') return { ...ntk, rate: fanOut };
      if (position === 'hidden')
        return {
          factor: 1,
          deviation: sigmaW / root,
          biasFactor: biasFactor * Math.sqrt(fanOut),
          biasDeviation: biasDeviation / Math.sqrt(fanOut),
          rate: 1,
        };
      return { ...ntk, factor: 1 / root, deviation: sigmaW / root };
  }
}

/** What a planted wrong alpha puts in front of a layer: sqrt(m), so that 1/m between layers becomes 1/sqrt(m). */
function excessOf(spec: MlpModel, fanIn: number, position: 'first' | 'hidden' | 'last'): number {
  const hit = position === 'last' || (position === 'hidden' && spec.parameterization === 'mean-field');
  return hit ? Math.sqrt(fanIn) : 1;
}

function mlp(spec: MlpModel, context: ModelContext): BuiltModel {
  const random = new Random(context.seed).fork('model');
  const sizes = [context.inputShape[0], ...spec.hidden, context.outputs];
  const symmetric = spec.init === 'symmetric' && context.sabotage !== 'unsymmetrised-start';
  const layers: tf.layers.Layer[] = [];
  const dense: { layer: ScaledDense; scales: LayerScales }[] = [];
  const rates: Record<string, number> = {};
  for (let l = 1; l < sizes.length; l++) {
    const last = l === sizes.length - 1;
    const position = last ? 'last' : l === 1 ? 'first' : 'hidden';
    const scales = layerScales(spec, sizes[l - 1], sizes[l], position);
    const excess = context.sabotage === 'wrong-alpha' ? excessOf(spec, sizes[l - 1], position) : 1;
    const name = last ? 'readout' : `hidden${l}`;
    const layer = new ScaledDense({
      name,
      units: sizes[l],
      factor: scales.factor * excess,
      deviation: scales.deviation,
      useBias: spec.bias,
      biasFactor: scales.biasFactor,
      biasDeviation: scales.biasDeviation,
      trainable: spec.train !== 'readout' || last,
      ...(l === 1 ? { inputShape: [sizes[0]] } : {}),
    });
    layers.push(layer);
    dense.push({ layer, scales });
    rates[name] = scales.rate;
    if (!last) layers.push(new Elementwise({ name: `activation${l}`, activation: spec.activation }));
  }
  const model = tf.sequential({ layers });
  for (const { layer, scales } of dense) {
    const [rows, cols] = layer.kernel.shape as [number, number];
    const stream = random.fork(layer.name);
    const spread = context.sabotage === 'wrong-start-variance' ? 3 : 1;
    const kernel = normals(stream, rows * cols, scales.deviation * spread);
    const bias = normals(stream.fork('bias'), cols, scales.biasDeviation);
    if (symmetric && layer.name === 'readout') bias.fill(0);
    setWeights(layer, kernel, bias);
  }
  if (symmetric) symmetrize(dense.map((d) => d.layer));
  return { model, spec, rates };
}

/** Makes the last hidden layer of equal pairs with opposite readout, so that f_0 = 0 exactly. */
function symmetrize(layers: readonly ScaledDense[]): void {
  const last = layers[layers.length - 1];
  const before = layers[layers.length - 2];
  if (!before)
    throw new InputError('model.hidden is empty; a symmetric start pairs hidden units, so give one width.', {
      field: 'model.hidden',
    });
  const width = before.units;
  if (width % 2 !== 0)
    throw new InputError(
      `model.hidden ends with ${width}; a symmetric start pairs neurons, so the last hidden width must be even.`,
      { field: 'model.hidden' },
    );
  const half = width / 2;
  const kernel = before.kernel.read().dataSync() as Float32Array;
  const bias = before.bias?.read().dataSync() as Float32Array | undefined;
  const rows = kernel.length / width;
  const pairs = (values: Float32Array, count: number) =>
    columns(firstColumns(values, count, half, width), count, half, width);
  setWeights(before, pairs(kernel, rows), bias && pairs(bias, 1));
  const readout = last.kernel.read().dataSync() as Float32Array;
  setWeights(
    last,
    opposed(readout.slice(0, half * last.units), last.units),
    (last.bias?.read().dataSync() as Float32Array | undefined)?.slice(),
  );
}

/** The first `count` columns of [rows, width]. */
function firstColumns(values: Float32Array, rows: number, count: number, width: number): Float32Array {
  const out = new Float32Array(rows * count);
  for (let i = 0; i < rows; i++) out.set(values.subarray(i * width, i * width + count), i * count);
  return out;
}

function residual(spec: ResidualModel, context: ModelContext): BuiltModel {
  const { width, depth } = spec;
  const random = new Random(context.seed).fork('model');
  const stated =
    spec.blockScale === '1/L'
      ? 1 / depth
      : spec.blockScale === '1/sqrt(L)'
        ? 1 / Math.sqrt(depth)
        : spec.blockScale;
  const scale = context.sabotage === 'wrong-alpha' ? Math.sqrt(stated) : stated;
  const rates: Record<string, number> = {};
  const trainable = spec.train !== 'readout';
  const dense: ScaledDense[] = [];
  const apply = (
    config: ConstructorParameters<typeof ScaledDense>[0],
    x: tf.SymbolicTensor,
  ): tf.SymbolicTensor => {
    const layer = new ScaledDense(config);
    dense.push(layer);
    return layer.apply(x) as tf.SymbolicTensor;
  };
  const input = tf.input({ shape: [...context.inputShape] });
  const root = 1 / Math.sqrt(width);
  let h = apply(
    { name: 'input', units: width, factor: 1 / Math.sqrt(context.inputShape[0]), useBias: false, trainable },
    input,
  );
  for (let l = 1; l <= depth; l++) {
    // Under 1/L every block is one particle of many: L times the step lets it move by O(1) at any depth (Lu et al. 2020).
    if (spec.blockScale === '1/L') rates[`block${l}-in`] = rates[`block${l}-out`] = depth;
    const inner = apply({ name: `block${l}-in`, units: width, factor: root, useBias: false, trainable }, h);
    const active = new Elementwise({ name: `block${l}-activation`, activation: spec.activation }).apply(
      inner,
    ) as tf.SymbolicTensor;
    const branch = apply(
      { name: `block${l}-out`, units: width, factor: scale * root, useBias: false, trainable },
      active,
    );
    h = tf.layers.add({ name: `block${l}` }).apply([h, branch]) as tf.SymbolicTensor;
  }
  const output = apply({ name: 'readout', units: context.outputs, factor: root, useBias: false }, h);
  const model = tf.model({ inputs: input, outputs: output });
  for (const layer of dense) {
    const [rows, cols] = layer.kernel.shape as [number, number];
    const name = spec.init === 'equal' ? layer.name.replace(/^block\d+/, 'block') : layer.name;
    setWeights(layer, normals(random.fork(name), rows * cols, 1));
  }
  return { model, spec, rates };
}
