/**
 * Kernelscope as a library: what model files import, and the kernels, predictions and measures behind the views. Shapes,
 * units, errors and sources stand at each function; docs/library.md tells where to begin. Matrices are row-major.
 */

// What a fixed kernel predicts. Nothing from here to the model files needs a backend.
export {
  type CurveOptions,
  type PredictedCurve,
  predictedCurve,
  stepsToLoss,
} from './core/dynamics/beforeTraining.js';
export {
  type CrossEntropyOptions,
  type CrossEntropyPoint,
  crossEntropy,
  crossEntropyFlow,
  softmax,
} from './core/dynamics/crossEntropy.js';
export {
  closedFormDescent,
  type DescentRule,
  type LearningCurve,
  learningCurve,
} from './core/dynamics/descent.js';
export { type DescentLoss, KernelDescent, type KernelDescentSetup } from './core/dynamics/kernelDescent.js';
export { kernelRidge, type RidgeCurve } from './core/dynamics/kernelRidge.js';
export {
  applyFunction,
  descentShare,
  type EnsembleKernels,
  ensemble,
  flowOutputs,
  flowShare,
  gaussianPosterior,
  largestStableStep,
  type Modes,
  modesOf,
  momentumShare,
  type Outputs,
  regularised,
} from './core/dynamics/squaredLoss.js';
export { DivergedError, FailureError, InputError } from './core/errors.js';

// Infinite width.
export { activationNames, type DualMap, dualMap } from './core/kernels/activations.js';
export type { Architecture } from './core/kernels/architecture.js';
export { type Inputs as LimitInputs, limitKernel } from './core/kernels/limit.js';
export { monteCarloKernel, type Refinement } from './core/kernels/monteCarlo.js';
export { parseArchitecture } from './core/kernels/readArchitecture.js';

// Linear algebra in float64.
export { cholesky, choleskySolve, type Factor, type RidgeOptions } from './core/linalg/cholesky.js';
export { type Eigh, eigenvalues, eigh, type Spectral, spectral } from './core/linalg/eigen.js';
export { type LanczosOptions, type LanczosResult, lanczos } from './core/linalg/lanczos.js';
export { type Matrix, matrix, matrixFrom } from './core/linalg/matrix.js';
export { matmul, multiplyVector, symmetrize, transpose } from './core/linalg/ops.js';
export { conditionNumber, effectiveRank, noiseFloor, participationRatio } from './core/linalg/spectrum.js';
export {
  type Estimate,
  type SpectralMeasure,
  smoothed,
  spectralDensity,
  stochasticTrace,
} from './core/linalg/stochastic.js';

// Measures, statistics, files of numbers.
export * from './core/measures/index.js';
export { decodeNpy, encodeNpy, type NpyArray, toFloat64 } from './core/npy.js';
export { decodeNpz, encodeNpz } from './core/npz.js';
export { Random } from './core/random.js';
export * from './core/stats/index.js';

// Model files.
export * from './experiment/builders.js';
export type * from './experiment/definition.js';
export { type ResolvedExperiment, resolveExperiment } from './experiment/resolve.js';

// Networks: choose a backend first with `useBackend`.
export { type BackendReport, backendInUse, useBackend } from './network/backends/index.js';
export {
  type Curvature,
  type CurvatureOptions,
  curvatureOf,
  type HessianOptions,
  LossHessian,
} from './network/curvature/index.js';
export { type Dataset, dataOf, loadData } from './network/data/index.js';
export {
  type EmpiricalKernel,
  empiricalKernel,
  explicitJacobian,
  type KernelImplementation,
  type KernelMode,
  KernelOperator,
  type KernelOperatorOptions,
  type KernelOptions,
  type Linearisation,
  ModelJacobian,
  outputCount,
  type TensorFunction,
} from './network/kernel/index.js';
export { architectureOf } from './network/limit/architectureOf.js';
export { type BuiltModel, buildModel, type ModelContext } from './network/models/build.js';
export { activationsOf, neuronsOf, pickNeurons, writeNeurons } from './network/models/neurons.js';
export { seedModel } from './network/models/seeding.js';
export { type SubsamplingErrors, subsamplingErrors } from './network/models/subsampling.js';
export * as tf from './network/tf.js';
export {
  gradientFlow,
  LinearisedTwin,
  lossesAlongPaths,
  type PathLosses,
  type StepDefinition,
  Stepper,
  type TrainingSetup,
  type TrainingSummary,
  train,
} from './network/training/index.js';
// Recorded runs.
export {
  type Comparison,
  compareRuns,
  exportRun,
  listRuns,
  type RunFile,
  readRun,
  readSnapshots,
  type StoredRun,
} from './runs/index.js';
// Watching a training of one's own.
export { type StepValues, type WatchOptions, type WatchScope, watch } from './watch/library.js';
