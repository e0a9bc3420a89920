import type * as tf from '../tf.js';

export type KernelMode = 'trace' | 'full';

/**
 * How a kernel is computed. 'structured': from what every layer brings (Novak, Sohl-Dickstein and Schoenholz 2022); throws
 * where samples cannot be told apart. 'jacobian': the explicit Jacobian, one backward pass a sample and output, multiplied
 * with itself. 'operator': columns by Jacobian products. 'auto': structured, else the Jacobian with a note.
 */
export type KernelImplementation = 'auto' | 'structured' | 'jacobian' | 'operator';

export interface KernelOptions {
  /** Default 'auto'. All agree to float32's precision. */
  readonly implementation?: KernelImplementation;
  /** 'trace': mean over outputs, [N, M]; 'full': [N O, M O], row i O + o. Default 'trace'. */
  readonly mode?: KernelMode;
  /** Second set of inputs for a rectangle; the same as the first when absent. */
  readonly against?: tf.Tensor | tf.Tensor[];
  /** One output only (its own kernel, no mean). */
  readonly output?: number;
  readonly perLayer?: boolean;
  /** Factor on each layer's part (unequal step sizes); 1 where absent. */
  readonly layerFactors?: Readonly<Record<string, number>>;
  /** Most samples in a block of rows (default: from the size of the outputs). */
  readonly blockRows?: number;
  readonly signal?: AbortSignal;
}

export interface EmpiricalKernel {
  readonly mode: KernelMode;
  readonly rows: number;
  readonly cols: number;
  /** Row-major float32, [rows, cols]. */
  readonly data: Float32Array;
  readonly outputs: number;
  readonly perLayer: Readonly<Record<string, Float32Array>> | null;
  /** What the user should know: inference form of normalisation, layers without a structured rule and their cost. */
  readonly notes: readonly string[];
}
