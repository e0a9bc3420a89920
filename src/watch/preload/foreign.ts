/**
 * The parts of a foreign TensorFlow.js that the observer touches, whatever its version, copy or bundle: facts found on the
 * live objects, never imported.
 */
export interface ForeignTensor {
  readonly id: number;
  readonly shape: readonly number[];
  readonly size: number;
  readonly dtype: string;
  readonly isDisposed: boolean;
  dataSync(): ArrayLike<number>;
  clone(): ForeignTensor;
  dispose(): void;
}

/** The numbers of a tensor. */
export interface CopiedTensor {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

export interface ForeignVariable extends ForeignTensor {
  readonly name: string;
  readonly trainable: boolean;
  assign(value: ForeignTensor): void;
}

export interface ForeignWeight {
  readonly name: string;
  read(): ForeignVariable;
}

export interface ForeignLayer {
  readonly name: string;
  readonly trainableWeights: readonly ForeignWeight[];
  readonly weights: readonly ForeignWeight[];
  /** Of a model inside a model. */
  readonly layers?: readonly ForeignLayer[];
  getClassName(): string;
}

export interface ForeignModel extends ForeignLayer {
  readonly layers: readonly ForeignLayer[];
  readonly inputs: readonly { readonly shape: readonly (number | null)[] }[];
  readonly outputs: readonly { readonly shape: readonly (number | null)[] }[];
  readonly loss?: unknown;
  readonly metricsNames?: readonly string[];
  readonly optimizer_?: ForeignOptimizer;
  /** While `fit` or `fitDataset` runs, which end where they are told to. */
  readonly isTraining?: boolean;
  stopTraining?: boolean;
  /** Of a Sequential: the model that does its work. */
  readonly model?: ForeignModel | null;
  readonly history?: { readonly history?: Readonly<Record<string, readonly (number | ForeignTensor)[]>> };
  readonly collectedTrainableWeights?: readonly ForeignWeight[];
  makeTrainFunction(): TrainFunction;
}

/** Takes one step of fit, fitDataset and trainOnBatch. */
export type TrainFunction = (data: readonly ForeignTensor[]) => readonly ForeignTensor[];

export interface ForeignOptimizer {
  readonly learningRate?: number;
  getClassName(): string;
}

/** One operation of a recorded computation. */
export interface TapeNode {
  readonly inputs: Readonly<Record<string, ForeignTensor | null>>;
  readonly outputs: readonly ForeignTensor[];
}

/** What `applyGradients` is given. */
export type NamedGradients =
  | Readonly<Record<string, ForeignTensor | null>>
  | readonly { readonly name: string; readonly tensor: ForeignTensor | null }[];

export interface ForeignEngine {
  readonly backendName: string;
  readonly registeredVariables: Readonly<Record<string, ForeignVariable>>;
  readonly state: {
    readonly activeTape: readonly unknown[] | null;
    readonly gradientDepth: number;
    readonly kernelDepth: number;
    readonly activeScope: { readonly name: string } | null;
  };
  endScope(result?: unknown): void;
  startTape(): void;
  keep(result: ForeignTensor): ForeignTensor;
  tidy<T>(work: () => T): T;
}

/** The network that does the work of a model: a Sequential hands everything to a model of its own. */
export const workerOf = (model: ForeignModel): ForeignModel => (model.model?.layers ? model.model : model);

/** Gradients by the names of their variables. */
export const namedGradients = (gradients: NamedGradients): readonly (readonly [string, ForeignTensor])[] =>
  (Array.isArray(gradients)
    ? (gradients as readonly { name: string; tensor: ForeignTensor | null }[]).map(
        ({ name, tensor }) => [name, tensor] as const,
      )
    : Object.entries(gradients as Readonly<Record<string, ForeignTensor | null>>)
  ).filter((entry): entry is readonly [string, ForeignTensor] => entry[1] != null);
