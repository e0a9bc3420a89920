import type { Program } from '../graph/program.js';
import { stackOfProgram } from '../patterns/convStack.js';
import { chainOfProgram } from '../patterns/denseChain.js';
import type * as tf from '../tf.js';
import { type Contribution, keepContributions } from './contribution.js';
import { stackContributions } from './convolution/stackPass.js';
import { chainPass } from './dense/chainPass.js';
import type { KernelMode } from './request.js';

export interface KernelRequest {
  readonly mode: KernelMode;
  /** The scalar outputs that are wanted. */
  readonly outputs: readonly number[];
  /** Whether they are all there are. */
  readonly all: boolean;
  /** Samples of the whole kernel, by which the form of a contribution is chosen. */
  readonly counted: number;
}

/** Contributions of a network that one of the fast ways can take whole; null for any other. The caller disposes. */
export function claimed(
  program: Program,
  inputs: readonly tf.Tensor[],
  { mode, outputs, all, counted }: KernelRequest,
): readonly Contribution[] | null {
  // What a function does may change without a sign; the general way looks at what ran each time.
  if (program.settings === null) return null;
  const output = all ? undefined : outputs[0];
  const chain = chainOfProgram(program, inputs);
  if (chain) return keepContributions(() => chainPass(chain, inputs[0] as tf.Tensor2D, mode, output));
  const stack = stackOfProgram(program, inputs);
  if (!stack) return null;
  const request = { mode, outputs: outputs.length, output, samples: counted };
  return stackContributions(stack, inputs[0] as tf.Tensor4D, request);
}
