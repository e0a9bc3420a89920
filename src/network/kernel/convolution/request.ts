import type { ConvLayer } from '../../patterns/convStack.js';
import { keepsPositions } from '../positions.js';
import type { KernelMode } from '../request.js';

export interface StackRequest {
  readonly mode: KernelMode;
  readonly outputs: number;
  /** One output only. */
  readonly output?: number;
  /** Samples of the whole kernel, by which the form of a part is chosen. */
  readonly samples: number;
}

/** Whether a convolution is kept as patches and cotangents instead of per-sample gradients. */
export function keepsPatches(stage: ConvLayer, { outputs, samples }: StackRequest): boolean {
  const [kh, kw, channels, filters] = stage.kernel.shape as number[];
  const [height, width] = stage.outShape;
  return keepsPositions(samples, outputs, height * width, kh * kw * channels, filters);
}
