/** Data sets as plain values: what `loadData` loads. */

import type { ActivationName } from '../models/spec.js';

/** The loss decides the form of the targets. */
export type LossName = 'mse' | 'crossEntropy';

interface Subset {
  /** Number of training samples (default: all, or the source's natural size). */
  readonly train?: number;
  /** Number of test samples. */
  readonly test?: number;
  /** Seed of the subset; the experiment's seed when absent. */
  readonly seed?: number;
}

export type DataSpec =
  | (Subset & {
      readonly kind: 'mnist';
      /** Classes kept; two classes give targets -1/+1 under squared loss. */
      readonly digits?: readonly number[];
      /** Folder with the four idx files (gzipped or not), relative to the model file. */
      readonly path?: string;
      readonly shuffleLabels?: boolean;
      /** Input shape: [784] by default, [28, 28, 1] with 'image'. */
      readonly shape?: 'flat' | 'image';
    })
  | (Subset & {
      readonly kind: 'digits';
      readonly digits?: readonly number[];
      readonly shuffleLabels?: boolean;
      readonly shape?: 'flat' | 'image';
    })
  | (Subset & {
      readonly kind: 'teacher';
      readonly dimension: number;
      /**
       * 'tanh': y = tanh(slope w.x); 'interaction': y = tanh(1.5 w.x) + .3 x1 x2 / sqrt d; 'network': sum of sigmoid
       * or tanh neurons given in `neurons`.
       */
      readonly target: 'tanh' | 'interaction' | 'network';
      readonly slope?: number;
      readonly neurons?: {
        readonly theta: readonly (readonly number[])[];
        readonly u: readonly number[];
        readonly activation: ActivationName;
      };
      /** Inputs N(0, inputScale^2 I), or rescaled to norm sqrt d with 'sphere'. */
      readonly inputs?: 'normal' | 'sphere';
      readonly inputScale?: number;
      /** Standard deviation of the label noise on training samples. */
      readonly noise?: number;
      readonly shuffleLabels?: boolean;
    })
  | (Subset & {
      readonly kind: 'gaussianMixture';
      readonly dimension: number;
      readonly classes: number;
      /** Distance of the class means from the origin, in units of the within-class deviation. */
      readonly separation: number;
    })
  | (Subset & {
      readonly kind: 'csv';
      readonly path: string;
      /** Column name(s) or index(es) of the target; the last column when absent. */
      readonly target?: string | number | readonly (string | number)[];
      readonly task?: 'regression' | 'classification';
      readonly standardize?: boolean;
    })
  | (Subset & {
      /** A .npz with arrays x, y (and optional xTest, yTest), or two .npy files. */
      readonly kind: 'npz' | 'npy';
      readonly path: string;
      readonly targetPath?: string;
      readonly x?: string;
      readonly y?: string;
      readonly task?: 'regression' | 'classification';
    });
