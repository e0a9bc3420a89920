import * as tf from '../../tf.js';

/** Steps v <- momentum v + gradient, w <- w - rate v on variables (Polyak 1964); plain descent without momentum. */
export class HeavyBall {
  private readonly velocities = new Map<tf.Variable, tf.Variable>();

  constructor(private readonly momentum = 0) {}

  /** One step of one variable. Inside `tf.tidy`. */
  move(variable: tf.Variable, gradient: tf.Tensor, rate: number): void {
    if (this.momentum === 0) {
      variable.assign(tf.sub(variable, tf.mul(gradient, rate)));
      return;
    }
    const velocity = this.velocityOf(variable);
    velocity.assign(tf.add(tf.mul(velocity, this.momentum), gradient));
    variable.assign(tf.sub(variable, tf.mul(velocity, rate)));
  }

  /** The velocities of the variables, in order; none without momentum. */
  state(variables: readonly tf.Variable[]): Float32Array[] {
    if (this.momentum === 0) return [];
    return variables.map((v) => (this.velocityOf(v).dataSync() as Float32Array).slice());
  }

  restore(variables: readonly tf.Variable[], state: readonly Float32Array[]): void {
    for (const [k, velocity] of state.entries()) {
      const values = tf.tensor(velocity, variables[k].shape);
      this.velocityOf(variables[k]).assign(values);
      values.dispose();
    }
  }

  dispose(): void {
    tf.dispose([...this.velocities.values()]);
    this.velocities.clear();
  }

  private velocityOf(variable: tf.Variable): tf.Variable {
    let velocity = this.velocities.get(variable);
    if (!velocity) {
      velocity = tf.tidy(() => tf.variable(tf.zerosLike(variable), false));
      this.velocities.set(variable, velocity);
    }
    return velocity;
  }
}
