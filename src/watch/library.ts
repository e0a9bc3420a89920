import path from 'node:path';
import { InputError } from '../core/errors.js';
import * as tf from '../network/tf.js';
import { type ForeignEngine, type ForeignModel, type ForeignVariable, workerOf } from './preload/foreign.js';
import { copied } from './preload/tape.js';
import { Budget } from './scope/budget.js';
import { Control } from './scope/control.js';
import { startedInfo } from './scope/info.js';
import { Kernels } from './scope/kernels.js';
import { columnOf } from './scope/metrics.js';
import { placeOfCaller } from './scope/place.js';
import { ProbeSet } from './scope/probe.js';
import { Recording, runName } from './scope/record.js';
import { Scope } from './scope/scope.js';
import { weightsOfModel } from './scope/weights.js';

export interface WatchOptions {
  /** Inputs [P, ...] that kernels are measured on, an array for several inputs; without them there is no kernel. */
  readonly probe?: tf.Tensor | tf.Tensor[];
  /** Targets [P, O] of these inputs: they give label energies and alignment. */
  readonly targets?: tf.Tensor;
  /** Name of the run; default that of the model. */
  readonly name?: string;
  /** Folder in which the run folder is made; default `.kernelscope/runs`. */
  readonly runs?: string;
}

/** Loss and further numbers of a step. Scalars are read, not disposed. */
export type StepValues = Readonly<Record<string, number | tf.Scalar>>;

/** A training that is watched from inside the program. */
export interface WatchScope {
  /** The run folder; without a probe it is made at the first step. */
  readonly folder: string;
  /** For `model.fit` and `model.fitDataset`: records every batch. */
  callback(): tf.CustomCallbackArgs;
  /**
   * After a step of a loop of one's own. Resolves to whether to go on: false once the run is asked to stop from outside; while
   * it is paused, it does not come back.
   */
  step(values: StepValues): Promise<boolean>;
  /** Looks a last time and closes the run; done by itself when the process ends. */
  end(): void;
}

let control: Control | null = null;
let count = 0;

/**
 * Records the training of a model as a run: losses, movement of every layer, and, where `probe` is given, kernels, spectra,
 * drift and regime at log-spaced steps. What would cost more than a tenth of the training is left out. Weights that do not
 * train now (`trainable`) do not count. Throws an InputError for a model without weights that train, and for a probe that the
 * model does not take.
 */
export function watch(model: tf.LayersModel, options: WatchOptions = {}): WatchScope {
  const foreign = model as unknown as ForeignModel;
  const trained = new Set(foreign.trainableWeights.map((weight) => weight.read()));
  if (trained.size === 0)
    throw new InputError(`The model ${model.name} has no weights that train, so there is nothing to watch.`, {
      field: 'model',
    });
  const probe = options.probe === undefined ? null : probeOf(foreign, options.probe, options.targets);
  return new LibraryScope(foreign, trained, probe, options);
}

function probeOf(
  model: ForeignModel,
  probe: tf.Tensor | tf.Tensor[],
  targets: tf.Tensor | undefined,
): ProbeSet {
  const inputs = copied(probe) ?? [];
  const wanted = model.inputs
    .map(({ shape }) => `[${shape.map((n) => n ?? 'any').join(', ')}]`)
    .join(' and ');
  const fits =
    inputs.length === model.inputs.length &&
    model.inputs.every(
      ({ shape }, i) =>
        shape.length === inputs[i].shape.length &&
        shape.every((n, k) => k === 0 || n === null || n === inputs[i].shape[k]),
    );
  if (!fits)
    throw new InputError(
      `The probe has inputs of shape ${inputs.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')}, but the model takes ${wanted}.`,
      { field: 'probe' },
    );
  const [known] = (targets && copied(targets)) ?? [null];
  return new ProbeSet(model, inputs, known);
}

class LibraryScope implements WatchScope {
  readonly folder: string;
  private readonly scope: Scope;
  private over = false;
  private stopped = false;

  constructor(
    private readonly model: ForeignModel,
    trained: ReadonlySet<ForeignVariable>,
    probe: ProbeSet | null,
    options: WatchOptions,
  ) {
    const engine = tf.engine() as unknown as ForeignEngine;
    const budget = new Budget();
    const weights = weightsOfModel(model, trained);
    const kernels = probe && new Kernels(engine, budget, model, probe, weights, (work) => work());
    const place = placeOfCaller();
    const name = options.name ?? model.name;
    const run = runName(process.argv[1] ?? place.file, name, count++);
    const folder = path.resolve(options.runs ?? path.join('.kernelscope', 'runs'), run);
    const startedAt = new Date().toISOString();
    this.folder = folder;
    const optimizer = workerOf(model).optimizer_ ?? null;
    this.scope = new Scope({
      budget,
      model,
      weights,
      kernels,
      optimizer,
      open: (facts) => {
        control ??= new Control();
        const training = { run, folder, name, place, model, optimizer, weights, startedAt };
        const info = startedInfo({ ...training, backend: engine.backendName }, facts);
        return new Recording(
          info,
          { node: process.versions.node, tfjs: tf.version_core },
          undefined,
          control,
        );
      },
    });
    // Now: before the first step the weights are those of the start.
    this.scope.before();
    process.once('exit', (code) => this.close(code));
  }

  callback(): tf.CustomCallbackArgs {
    return {
      onBatchEnd: async (_batch, logs) => {
        const { batch: _index, size: _size, ...values } = logs ?? {};
        if (!(await this.step(values as StepValues))) workerOf(this.model).stopTraining = true;
      },
    };
  }

  async step(values: StepValues): Promise<boolean> {
    if (this.over) return true;
    const numbers: Record<string, number> = {};
    for (const [name, value] of Object.entries(values))
      numbers[name === 'loss' ? name : columnOf(name)] =
        typeof value === 'number' ? value : (await value.data())[0];
    if (control?.measures) this.scope.asked = true;
    this.scope.after(() => numbers);
    control?.hold((status) => this.scope.status(status));
    if (control?.stops) this.stopped = true;
    return !this.stopped;
  }

  end(): void {
    this.close(0);
  }

  private close(code: number): void {
    if (this.over) return;
    this.over = true;
    const message = `The program ended with exit code ${code}.`;
    if (this.stopped) this.scope.end('stopped');
    else if (code === 0) this.scope.end('finished');
    else this.scope.end('failed', message);
  }
}
