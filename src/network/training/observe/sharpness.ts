import { curvatureOf, LossHessian } from '../../curvature/index.js';
import type * as tf from '../../tf.js';
import { tensorsOf } from '../loop/batches.js';
import type { TrainingSetup } from '../loop/setup.js';

/** Training samples that stand for all of them in minibatch runs. */
const sampled = 2048;

/**
 * Top eigenvalue of the Hessian of the training loss along a run, preconditioned by the layers' step sizes, so that
 * descent is stable while it stays below 2 / eta.
 */
export class SharpnessProbe {
  private readonly hessian: LossHessian;
  private readonly x: tf.Tensor;
  private readonly y: tf.Tensor2D;
  /** What the reader of the column should know; null when there is nothing. */
  readonly note: string | null;

  constructor(
    { built, data, definition }: Pick<TrainingSetup, 'built' | 'data' | 'definition'>,
    layerFactors: Readonly<Record<string, number>>,
  ) {
    const { size } = data.train;
    const full = definition.batch === 'full' || definition.batch >= size;
    const rows = full ? size : Math.min(size, sampled);
    const { x, y } = tensorsOf(
      data.train,
      data,
      Array.from({ length: rows }, (_, i) => i),
    );
    this.x = x;
    this.y = y;
    this.hessian = new LossHessian(built.model, x, y, definition.loss, { layerFactors });
    this.note = rows < size ? `The sharpness is that of the first ${rows} training samples.` : null;
  }

  /** The top eigenvalue at the weights the model has now, to 1e-3. */
  measure(): number {
    return curvatureOf(this.hessian).sharpness;
  }

  dispose(): void {
    this.hessian.dispose();
    this.x.dispose();
    this.y.dispose();
  }
}
