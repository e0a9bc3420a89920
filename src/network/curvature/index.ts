export { type Curvature, type CurvatureOptions, curvatureOf } from './curvature.js';
export { type HessianOptions, LossHessian } from './lossHessian.js';
