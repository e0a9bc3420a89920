import path from 'node:path';
import type { RunStarted } from '../../protocol/records.js';
import type { ForeignModel, ForeignOptimizer } from '../preload/foreign.js';
import type { Place } from './place.js';
import type { Weights } from './weights.js';

export interface Training {
  readonly run: string;
  readonly folder: string;
  /** Of the model. */
  readonly name: string;
  readonly place: Place;
  readonly model: ForeignModel | null;
  readonly optimizer: ForeignOptimizer | null;
  readonly weights: Weights;
  /** As TensorFlow.js calls it. */
  readonly backend: string;
  readonly startedAt: string;
}

/** The facts of a watched run. What cannot be known of another program (seed, planned steps, data sets) is absent. */
export function startedInfo(training: Training, facts: Pick<RunStarted, 'probe' | 'outputs'>): RunStarted {
  const { run, folder, name, place, model, optimizer, weights, backend, startedAt } = training;
  const program = path.basename(process.argv[1] ?? place.file);
  const rate = optimizer?.learningRate;
  return {
    ...facts,
    kind: 'watched',
    run,
    folder,
    name: `${program} · ${name}`,
    source: {
      file: place.file,
      exportName: '',
      ...(place.line === undefined ? {} : { line: place.line }),
    },
    definition: definitionOf(model, optimizer),
    backend: {
      name: backend === 'tensorflow' ? 'native' : backend,
      why: 'It is the backend of the program.',
    },
    ...(typeof rate === 'number' ? { learningRate: rate } : {}),
    parameters: weights.size,
    layers: weights.layers,
    startedAt,
  };
}

function definitionOf(
  model: ForeignModel | null,
  optimizer: ForeignOptimizer | null,
): Record<string, unknown> {
  const loss = model?.loss;
  const rate = optimizer?.learningRate;
  return {
    program: process.argv.slice(1).map((arg, i) => (i === 0 ? path.basename(arg) : arg)),
    ...(typeof loss === 'string' ? { loss } : {}),
    ...(optimizer
      ? {
          optimizer: {
            kind: optimizer.getClassName(),
            ...(typeof rate === 'number' ? { learningRate: rate } : {}),
          },
        }
      : {}),
  };
}
