import * as tf from '../tf.js';
import { activations } from './activations.js';
import type { ActivationName } from './spec.js';

interface ScaledDenseConfig {
  readonly name: string;
  readonly units: number;
  /** Constant in front of the product: f = factor * (x W) + biasFactor * b. */
  readonly factor: number;
  readonly useBias: boolean;
  readonly biasFactor?: number;
  /** Standard deviations that the weights are started with; what sets them keeps to it. Defaults 1 and 0. */
  readonly deviation?: number;
  readonly biasDeviation?: number;
  readonly trainable?: boolean;
  readonly inputShape?: number[];
}

/**
 * Dense layer with a constant factor, as the parameterisations need it: [N, in] to [N, units]. Its weights are the
 * kernel [in, units] and, if asked for, the bias [units]; both are set from outside, seeded.
 */
export class ScaledDense extends tf.layers.Layer {
  static readonly className = 'ScaledDense';
  readonly units: number;
  readonly factor: number;
  readonly biasFactor: number;
  readonly deviation: number;
  readonly biasDeviation: number;
  readonly useBias: boolean;
  kernel!: tf.LayerVariable;
  bias: tf.LayerVariable | null = null;

  constructor(private readonly config: ScaledDenseConfig) {
    super({
      name: config.name,
      trainable: config.trainable ?? true,
      ...(config.inputShape ? { inputShape: config.inputShape } : {}),
    });
    this.units = config.units;
    this.factor = config.factor;
    this.biasFactor = config.biasFactor ?? 1;
    this.deviation = config.deviation ?? 1;
    this.biasDeviation = config.biasDeviation ?? 0;
    this.useBias = config.useBias;
  }

  override build(shape: tf.Shape | tf.Shape[]): void {
    const inputs = (Array.isArray(shape[0]) ? shape[0] : shape) as tf.Shape;
    const size = inputs[inputs.length - 1];
    if (size === null) throw new Error(`Layer ${this.name} needs a known input size.`);
    const zeros = tf.initializers.zeros();
    this.kernel = this.addWeight('kernel', [size, this.units], 'float32', zeros);
    if (this.useBias) this.bias = this.addWeight('bias', [this.units], 'float32', zeros);
    this.built = true;
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape {
    const inputs = (Array.isArray(shape[0]) ? shape[0] : shape) as tf.Shape;
    return [...inputs.slice(0, -1), this.units];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor2D;
      const product = tf.matMul(x, this.kernel.read() as tf.Tensor2D);
      const scaled = this.factor === 1 ? product : tf.mul(product, this.factor);
      if (!this.bias) return scaled;
      const bias = this.bias.read();
      return tf.add(scaled, this.biasFactor === 1 ? bias : tf.mul(bias, this.biasFactor));
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config } as unknown as tf.serialization.ConfigDict;
  }
}

/** An activation from the definition's list as a layer without weights. */
export class Elementwise extends tf.layers.Layer {
  static readonly className = 'Elementwise';
  readonly activation: ActivationName;

  constructor(config: { readonly name: string; readonly activation: ActivationName }) {
    super({ name: config.name });
    this.activation = config.activation;
  }

  override computeOutputShape(shape: tf.Shape | tf.Shape[]): tf.Shape | tf.Shape[] {
    return shape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => activations[this.activation].forward(Array.isArray(inputs) ? inputs[0] : inputs));
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), activation: this.activation };
  }
}

tf.serialization.registerClass(ScaledDense);
tf.serialization.registerClass(Elementwise);
