import { modelProgram, type Program } from '../graph/program.js';
import type { Inputs } from '../inputs.js';
import { outputCount } from '../outputs.js';
import type * as tf from '../tf.js';
import { type Linearisation, linearise } from './linearisation.js';
import { type FrozenWeights, Parameters } from './parameters.js';

/**
 * The Jacobian of a model's outputs in the weights that train, frozen at the weights of the moment it is made, as an
 * operator: J v and J^T u on any inputs, exact, without forming it. The model is taken in inference form.
 */
export class ModelJacobian {
  readonly parameters: Parameters;
  readonly outputs: number;
  readonly frozen: FrozenWeights;
  private readonly program: Program;

  constructor(model: tf.LayersModel) {
    this.program = modelProgram(model);
    this.parameters = new Parameters(model);
    this.outputs = outputCount(model);
    this.frozen = this.parameters.freeze();
  }

  /** The Jacobian on some inputs [n, ...], which must live as long as the result; the caller disposes the result. */
  at(x: Inputs): Linearisation {
    return this.parameters.during(this.frozen, () => linearise(this.program, x));
  }

  dispose(): void {
    this.frozen.dispose();
  }
}
