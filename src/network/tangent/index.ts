export { explicitJacobian } from './generic.js';
export * from './jacobian/index.js';
export { type EmpiricalKernel, empiricalKernel, type KernelMode, type KernelOptions } from './kernel.js';
export { outputCount } from './outputs.js';
export { PathLinearisation, type ReadoutTaken } from './pathLinearisation.js';
export { trainableLayers } from './tap.js';
