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
      /** What parts the cells; found when absent. */
      readonly delimiter?: string;
      /** Whether the first line names the columns; found when absent. */
      readonly header?: boolean;
      /** Rows with missing values are left out ('drop', the default), or get the mean of the column. */
      readonly missing?: 'drop' | 'mean';
      /** Column name(s) or index(es) that are left out. */
      readonly ignore?: readonly (string | number)[];
    })
  | (Subset & {
      /** A .npz with arrays x, y (and optional xTest, yTest), or .npy files. */
      readonly kind: 'npz' | 'npy';
      readonly path: string;
      readonly targetPath?: string;
      /** Names of the arrays in an .npz. */
      readonly x?: string;
      readonly y?: string;
      /** The test set: names of arrays in an .npz, paths of .npy files. */
      readonly xTest?: string;
      readonly yTest?: string;
      readonly task?: 'regression' | 'classification';
      /** What becomes of NaN: refused when absent. */
      readonly missing?: 'drop' | 'mean';
    })
  | (Subset & {
      /** A folder with one folder of PNG or JPEG images a class, or `train` and `test` folders of such. */
      readonly kind: 'images';
      readonly path: string;
      /** Height and width that images are brought to; without it all must have one size. */
      readonly size?: readonly [number, number];
      /** 1: grey, 3: colour; found when absent. */
      readonly channels?: 1 | 3;
      /** Input shape: [height, width, channels] by default, one row with 'flat'. */
      readonly shape?: 'flat' | 'image';
    });

/** Numbers as people hold them: nested lists, a typed array, tensors (of any copy of TensorFlow.js). */
export type ArrayInput = ArrayLike<unknown> | { readonly shape: readonly number[] };

/** What a `data` function gives, or a promise of it. */
export type GivenData =
  | {
      readonly x: ArrayInput;
      readonly y: ArrayInput;
      readonly xTest?: ArrayInput;
      readonly yTest?: ArrayInput;
      readonly task?: 'regression' | 'classification';
      readonly train?: number;
      readonly test?: number;
    }
  | readonly [ArrayInput, ArrayInput]
  /** A `tf.data` dataset of { xs, ys }, batched or not. */
  | { readonly forEachAsync: (f: never) => Promise<void> };

/** Makes the data: takes the `tf` namespace and returns arrays or a dataset (typed loosely, as builders are). */
export type DataFunction = (tf: never) => unknown;
