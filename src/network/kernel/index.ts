export { trainableLayers } from '../graph/program.js';
export type { Inputs } from '../inputs.js';
export { KernelOperator, type KernelOperatorOptions } from '../jacobian/kernelOperator.js';
export type { Linearisation, ProductMethod } from '../jacobian/linearisation.js';
export { type JacobianOptions, ModelJacobian } from '../jacobian/modelJacobian.js';
export { Parameters } from '../jacobian/parameters.js';
export { outputCount } from '../outputs.js';
export { explicitJacobian } from './explicit.js';
export { type EmpiricalKernel, empiricalKernel, type KernelMode, type KernelOptions } from './kernel.js';
