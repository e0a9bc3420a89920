import type { Inputs } from '../inputs.js';
import type * as tf from '../tf.js';
import { keptParts, type Part } from './contribution.js';
import { stackOf } from './convolution/convStack.js';
import { stackParts } from './convolution/stackPass.js';
import { chainPass } from './dense/chainPass.js';
import { chainOf } from './dense/denseChain.js';
import type { KernelMode } from './request.js';

interface Request {
  readonly mode: KernelMode;
  readonly outputs: readonly number[];
  readonly counted: number;
  readonly all: boolean;
}

/** Contributions of a chain of dense layers, by two passes of matrix products; null for anything else. */
export function chainContributions(
  model: tf.LayersModel,
  x: Inputs,
  request: Request,
): readonly Part[] | null {
  const chain = chainOf(model);
  if (!chain) return null;
  const output = request.all ? undefined : request.outputs[0];
  return keptParts(() => chainPass(chain, [x].flat()[0] as tf.Tensor2D, request.mode, output));
}

/** Contributions of a stack of convolutions; null for anything else. */
export function stackContributions(
  model: tf.LayersModel,
  x: Inputs,
  request: Request,
): readonly Part[] | null {
  const stack = stackOf(model);
  if (!stack) return null;
  const output = request.all ? undefined : request.outputs[0];
  return stackParts(stack, [x].flat()[0] as tf.Tensor4D, {
    mode: request.mode,
    outputs: request.outputs.length,
    output,
    samples: request.counted,
  });
}
