export { Batches, probeRows, tensorsOf } from './batches.js';
export type { Checkpoint } from './checkpoint.js';
export { Evaluator } from './evaluate.js';
export { gradientFunction, lossOf } from './gradient.js';
export { Movement } from './movement.js';
export { KernelProbe } from './probe.js';
export { stepFactors } from './rates.js';
export { type RegimeEvidence, regimeVerdict } from './regime.js';
export { type Sabotage, sabotages } from './sabotage.js';
export { type StepDefinition, Stepper } from './stepper.js';
export {
  type ReadyFacts,
  type TrainControl,
  type TrainingSetup,
  type TrainingSummary,
  train,
} from './train.js';
export { LinearisedTwin } from './twin.js';
