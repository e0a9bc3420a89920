import { trainableLayers } from '../../kernel/index.js';
import type * as tf from '../../tf.js';
import { columnDistances, squaredDistance } from './distance.js';

interface Start {
  readonly layer: string;
  readonly weights: readonly { readonly variable: tf.Variable; readonly values: Float32Array }[];
  readonly norm: number;
}

export interface Moved {
  /** |w - w_0| / |w_0| of each layer by name, and over all of them; not divided where the start is zero. */
  readonly layers: Readonly<Record<string, number>>;
  readonly total: number;
  /** L2 distance of every unit's incoming weights from their start, [units], of a first layer with such weights. */
  readonly units: Float32Array | null;
}

/** How far each layer is from its start. Keeps a copy of every trainable weight. */
export class Movement {
  private readonly starts: readonly Start[];
  private known: { readonly step: number; readonly moved: Moved } | null = null;
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

  /** Measured once a step, whoever asks: reading the weights takes as long as a good part of a step. */
  at(step: number): Moved {
    if (this.known?.step !== step) this.known = { step, moved: this.measure() };
    return this.known.moved;
  }

  private measure(): Moved {
    const layers: Record<string, number> = {};
    let units: Float32Array | null = null;
    let all = 0;
    let start = 0;
    for (const [l, { layer, weights, norm }] of this.starts.entries()) {
      let square = 0;
      for (const [w, { variable, values }] of weights.entries()) {
        const now = this.read(variable);
        if (l === 0 && w === 0 && variable.rank >= 2) {
          units = columnDistances(now, values, variable.shape[variable.rank - 1]);
          for (const distance of units) square += distance * distance;
        } else square += squaredDistance(now, values);
      }
      layers[layer] = Math.sqrt(square) / (norm || 1);
      all += square;
      start += norm * norm;
    }
    return { layers, total: Math.sqrt(all) / (Math.sqrt(start) || 1), units };
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
