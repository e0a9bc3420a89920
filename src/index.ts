/**
 * Kernelscope as a library: what model files import, and the kernels, predictions and measures behind the views. Shapes,
 * units, errors and sources stand at each function. Matrices are row-major.
 */

export { predictedCurve } from './core/dynamics/beforeTraining.js';
export {
  descentShare,
  ensemble,
  flowOutputs,
  flowShare,
  gaussianPosterior,
  largestStableStep,
  modesOf,
  momentumShare,
} from './core/dynamics/squaredLoss.js';

// Numbers: linear algebra, infinite width, predictions, measures. Nothing here needs a backend.
export { DivergedError, FailureError, InputError } from './core/errors.js';
export { dualMap } from './core/kernels/activations.js';
export type { Architecture } from './core/kernels/architecture.js';
export { limitKernel } from './core/kernels/limit.js';
export { monteCarloKernel } from './core/kernels/monteCarlo.js';
export { parseArchitecture } from './core/kernels/readArchitecture.js';
export { eigenvalues, eigh, spectral } from './core/linalg/eigen.js';
export { lanczos } from './core/linalg/lanczos.js';
export { type Matrix, matrix, matrixFrom } from './core/linalg/matrix.js';
export { conditionNumber, effectiveRank, noiseFloor, participationRatio } from './core/linalg/spectrum.js';
export * from './core/measures/index.js';
export { decodeNpy, encodeNpy } from './core/npy.js';
export { decodeNpz, encodeNpz } from './core/npz.js';
export { Random } from './core/random.js';
export * from './core/stats/index.js';
// Model files.
export * from './experiment/builders.js';
export type * from './experiment/definition.js';
export { resolveExperiment } from './experiment/resolve.js';
// Networks: choose a backend first with `useBackend`.
export { backendInUse, useBackend } from './network/backends/index.js';
export { loadData } from './network/data/index.js';
export { type BuiltModel, buildModel } from './network/models/build.js';
export {
  type EmpiricalKernel,
  empiricalKernel,
  explicitJacobian,
  type KernelOptions,
} from './network/tangent/index.js';
export { type TrainingSetup, type TrainingSummary, train } from './network/training/index.js';

// Recorded runs.
export { compareRuns, exportRun, listRuns, readRun, readSnapshots } from './runs/index.js';
