import { trainableLayers } from '../../kernel/index.js';
import type * as tf from '../../tf.js';

interface Start {
  readonly layer: string;
  readonly weights: readonly { readonly variable: tf.Variable; readonly values: Float32Array }[];
  readonly norm: number;
}

/** How far each layer is from its start. Keeps a copy of every trainable weight. */
export class Movement {
  private readonly starts: readonly Start[];
  private read = (variable: tf.Variable): ArrayLike<number> => variable.dataSync();

  constructor(model: tf.LayersModel) {
    this.starts = trainableLayers(model).map((layer) => {
      const weights = layer.trainableWeights.map((weight) => {
        const variable = weight.read() as tf.Variable;
        return { variable, values: (variable.dataSync() as Float32Array).slice() };
      });
      let square = 0;
      for (const { values } of weights) for (const v of values) square += v * v;
      return { layer: layer.name, weights, norm: Math.sqrt(square) };
    });
  }

  /** From now on takes the present weights from elsewhere: tangent training leaves those of the model at the start. */
  follow(read: (variable: tf.Variable) => ArrayLike<number>): void {
    this.read = read;
  }

  get layers(): readonly string[] {
    return this.starts.map((s) => s.layer);
  }

  /** |w - w_0| / |w_0| of each layer, and over all of them; not divided where the start is zero. */
  relative(): { readonly layers: Readonly<Record<string, number>>; readonly total: number } {
    const layers: Record<string, number> = {};
    let all = 0;
    let start = 0;
    for (const { layer, weights, norm } of this.starts) {
      let square = 0;
      for (const { variable, values } of weights) {
        const now = this.read(variable);
        for (let i = 0; i < values.length; i++) square += (now[i] - values[i]) ** 2;
      }
      layers[layer] = Math.sqrt(square) / (norm || 1);
      all += square;
      start += norm * norm;
    }
    return { layers, total: Math.sqrt(all) / (Math.sqrt(start) || 1) };
  }

  /** L2 distance of every unit's incoming weights from their start, [units], for layers with a 2-d kernel. */
  perUnit(layer: string): Float32Array | null {
    const start = this.starts.find((s) => s.layer === layer);
    const kernel = start?.weights[0];
    if (!kernel || kernel.variable.rank < 2) return null;
    const units = kernel.variable.shape[kernel.variable.rank - 1];
    const now = this.read(kernel.variable);
    const out = new Float32Array(units);
    for (let i = 0; i < now.length; i++) out[i % units] += (now[i] - kernel.values[i]) ** 2;
    return out.map(Math.sqrt);
  }

  /** The starting values of a weight, to freeze a twin at the start. */
  startOf(variable: tf.Variable): Float32Array | undefined {
    for (const { weights } of this.starts) {
      const found = weights.find((w) => w.variable === variable);
      if (found) return found.values;
    }
    return undefined;
  }
}
