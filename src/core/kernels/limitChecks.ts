import { InputError } from '../errors.js';
import type { Matrix } from '../linalg/matrix.js';
import type { Layer } from './architecture.js';

/** Sequences [N, length, channels] have one axis of positions, along which alone windows may reach. */
export function requireFittingWindows(layers: readonly Layer[], shape: readonly number[]): void {
  if (shape.length !== 3) return;
  for (const layer of layers) {
    if (layer.type === 'residual') requireFittingWindows([...layer.branch, ...layer.shortcut], shape);
    if ((layer.type === 'conv' || layer.type === 'averagePool') && layer.window[1] > 1)
      throw new InputError(
        `The inputs have shape [${shape.join(', ')}] with one axis of positions, but a ${layer.type} has a window of ` +
          `${layer.window.join(' x ')}; give it one size, such as [${layer.window[0]}], or inputs [N, height, width, channels].`,
        { field: 'layers' },
      );
  }
}

/** Variances may overflow on the way through many layers, and parameters may leave an activation's domain. */
export function requireFiniteKernel(kernel: Matrix): void {
  const at = kernel.data.findIndex((v) => !Number.isFinite(v));
  if (at < 0) return;
  throw new InputError(
    `The kernel of inputs ${Math.floor(at / kernel.cols)} and ${at % kernel.cols} is ${kernel.data[at]}: its variances ` +
      'overflow, or an activation has parameters out of its domain. Take a smaller sigmaW, smaller inputs or other parameters.',
    { field: 'layers' },
  );
}
