export { KernelOperator, type KernelOperatorOptions } from './kernelOperator.js';
export type { Inputs, Linearisation, ProductMethod } from './linearisation.js';
export { type JacobianOptions, ModelJacobian } from './modelJacobian.js';
export { Parameters } from './parameters.js';
