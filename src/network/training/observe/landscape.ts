import { matrix } from '../../../core/linalg/matrix.js';
import { principalComponents } from '../../../core/measures/pca.js';
import type { RunRecord, SnapshotName } from '../../../protocol/records.js';
import * as tf from '../../tf.js';
import type { Place } from '../loop/recorderState.js';

/** Numbers of all kept weights together: 64 MiB as float64. */
const mostKept = 2 ** 23;
/** Fewest places that make a path. */
const leastPlaces = 4;
/** Grid points a side, and points on the line. */
const gridSize = 25;
const linePoints = 41;
/** Room around the path, as a share of its extent. */
const margin = 0.3;

/** Losses over the weights around a run. */
export interface Landscape {
  /** [grid, grid, 3]: rows a, b, loss at mean + a e_1 + b e_2, the e_i the path's principal directions in weight space. */
  readonly plane: Float64Array;
  readonly planeShape: readonly [number, number, 3];
  /** [places, 3]: a, b and the step of every kept place of the run. */
  readonly path: Float64Array;
  /** [points, 2]: s and the loss at w_0 + s (w_T - w_0), s from -0.5 to 1.5. */
  readonly line: Float64Array;
  /** Shares of the path's variance along e_1 and e_2. */
  readonly explained: readonly [number, number];
}

/**
 * Keeps the trainable weights at chosen steps and evaluates the loss on the plane that holds most of their path
 * (principal components, after Li et al. 2018) and on the straight line from the first to the last.
 */
export class LandscapeRecorder {
  private readonly size: number;
  private readonly places: Place[] = [];

  constructor(private readonly variables: readonly tf.Variable[]) {
    this.size = variables.reduce((sum, v) => sum + v.size, 0);
  }

  /** Whether the weights are few enough. */
  get feasible(): boolean {
    return leastPlaces * this.size <= mostKept;
  }

  keep(step: number): void {
    if (!this.feasible) return;
    this.places.push({ step, weights: this.read() });
    // The start and the newest stay.
    if (this.places.length * this.size > mostKept) this.places.splice(1 + (this.places.length % 2), 1);
  }

  /** The places kept, for checkpoints. */
  state(): readonly Place[] {
    return this.places;
  }

  restore(places: readonly Place[]): void {
    this.places.splice(0, this.places.length, ...places);
  }

  /** Null when fewer than three places were kept or the weights never moved. Leaves the weights as they are. */
  measure(loss: () => number): Landscape | null {
    const { places, size } = this;
    if (places.length < 3) return null;
    const rows = matrix(places.length, size);
    for (const [i, { weights }] of places.entries()) rows.data.set(weights, i * size);
    const { mean, components, scores, variances, total } = principalComponents(rows, 2);
    if (!(variances[0] > 0) || variances.length < 2) return null;
    const now = this.read();
    try {
      const first = places[0].weights;
      const last = places[places.length - 1].weights;
      const line = new Float64Array(2 * linePoints);
      for (let i = 0; i < linePoints; i++) {
        const s = -0.5 + (2 * i) / (linePoints - 1);
        this.write((k) => first[k] + s * (last[k] - first[k]));
        line.set([s, loss()], 2 * i);
      }
      const a = ends(scores.data, 0);
      const b = ends(scores.data, 1);
      const plane = new Float64Array(3 * gridSize * gridSize);
      const [e1, e2] = [components.data.subarray(0, size), components.data.subarray(size, 2 * size)];
      for (let i = 0; i < gridSize; i++)
        for (let j = 0; j < gridSize; j++) {
          const x = a[0] + ((a[1] - a[0]) * j) / (gridSize - 1);
          const y = b[0] + ((b[1] - b[0]) * i) / (gridSize - 1);
          this.write((k) => mean[k] + x * e1[k] + y * e2[k]);
          plane.set([x, y, loss()], 3 * (i * gridSize + j));
        }
      const path = new Float64Array(3 * places.length);
      for (const [i, { step }] of places.entries())
        path.set([scores.data[2 * i], scores.data[2 * i + 1], step], 3 * i);
      const explained = [variances[0] / total, variances[1] / total] as const;
      return { plane, planeShape: [gridSize, gridSize, 3], path, line, explained };
    } finally {
      this.write((k) => now[k]);
    }
  }

  private read(): Float32Array {
    const out = new Float32Array(this.size);
    let at = 0;
    for (const variable of this.variables) {
      out.set(variable.dataSync() as Float32Array, at);
      at += variable.size;
    }
    return out;
  }

  private write(value: (index: number) => number): void {
    let at = 0;
    for (const variable of this.variables) {
      const values = new Float32Array(variable.size);
      for (let i = 0; i < values.length; i++) values[i] = value(at + i);
      at += variable.size;
      tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
    }
  }
}

/** A landscape as records of the last step. */
export function landscapeRecords(found: Landscape, step: number, time: number): RunRecord[] {
  const { plane, planeShape, path, line, explained } = found;
  const array = (name: SnapshotName, shape: readonly number[], data: Float64Array): RunRecord => ({
    kind: 'snapshot',
    name,
    step,
    time,
    shape,
    data,
  });
  const [first, second] = explained.map((share) => `${(100 * share).toFixed(1)} %`);
  return [
    array('landscape', planeShape, plane),
    array('weightPath', [path.length / 3, 3], path),
    array('lossLine', [line.length / 2, 2], line),
    {
      kind: 'note',
      step,
      level: 'info',
      text: `The plane of the loss landscape holds ${first} and ${second} of the way of the weights.`,
    },
  ];
}

/** Ends of an axis around the scores [n, 2] of one component. */
function ends(scores: ArrayLike<number>, component: 0 | 1): readonly [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let i = component; i < scores.length; i += 2) {
    low = Math.min(low, scores[i]);
    high = Math.max(high, scores[i]);
  }
  const room = margin * (high - low) || 1;
  return [low - room, high + room];
}
