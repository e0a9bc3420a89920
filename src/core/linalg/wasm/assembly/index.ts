export { implicitQl } from './implicitQl';
export { applyReflectors } from './reflectors';
export { tridiagonalise } from './tridiagonalise';
