import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DivergedError, InputError } from '../core/errors.js';
import { say } from '../core/say.js';
import { modelOf } from '../experiment/builtModel.js';
import { type ResolvedExperiment, resolveExperiment } from '../experiment/index.js';
import { placed } from '../experiment/load.js';
import { type BackendReport, backendInUse, useBackend } from '../network/backends/index.js';
import { type Dataset, dataOf } from '../network/data/index.js';
import { type BuiltModel, buildModel } from '../network/models/build.js';
import { type ReadyFacts, stepFactors, type TrainingSummary, train } from '../network/training/index.js';
import type { RunEnded, RunRecord, RunStarted } from '../protocol/records.js';
import { spoken } from '../protocol/sentence.js';
import type { RunRequest } from '../protocol/trainerWire.js';
import {
  changedFields,
  files,
  lastCheckpoint,
  type RunFile,
  RunWriter,
  readRunFile,
  runSchemaVersion,
  sourceHash,
} from '../runs/index.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoints.js';
import { compiledNote } from './compiled.js';
import { limitSpectrum } from './limitGhost.js';
import { outputProblems, requireClasses } from './outputProblems.js';

export interface SessionEvents {
  readonly progress: (stage: string) => void;
  /** `loss` is that of the start, null where the run begins later. */
  readonly started: (info: RunStarted, loss: number | null) => void;
  readonly record: (record: RunRecord) => void;
  /** Awaited before every step. */
  readonly gate: (step: number) => Promise<void> | void;
}

export interface SessionResult {
  readonly ended: RunEnded;
  readonly folder: string | null;
  readonly summary: TrainingSummary | null;
  readonly backend: BackendReport | null;
}

/** Everything that is made ready before the first step. */
export interface Prepared {
  readonly experiment: ResolvedExperiment;
  readonly backend: BackendReport;
  readonly data: Dataset;
  readonly built: BuiltModel;
  /** What was found out, left out or replaced on the way, in sentences. */
  readonly notes: readonly string[];
}

/** A run id: time, then the name of the file and export. Sorts by time and is safe as a folder name. */
function newRunId(file: string, exportName: string): string {
  const time = new Date()
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.(\d+)Z$/, '$1')
    .replace('T', '-');
  const name = path.basename(file).replace(/\.[^.]*$/, '');
  const part = exportName === 'default' ? '' : `-${exportName}`;
  return `${time}-${name}${part}`.replace(/[^A-Za-z0-9._-]/g, '_');
}

/** Loads a model file, its data and the backend, and builds the network. */
export async function prepare(
  request: Omit<RunRequest, 'runsFolder'> & { readonly text?: string },
  progress: (stage: string) => void,
): Promise<Prepared> {
  // A model file may make tensors while it is loaded.
  progress('starting the backend');
  const backend = await useBackend(request.backend, { nativePath: request.nativePath });
  progress('loading the model file');
  const experiment = await resolveExperiment({
    file: request.file,
    exportName: request.exportName || undefined,
    overrides: request.overrides,
    data: request.data,
    text: request.text,
  });
  progress('reading the data');
  const { definition, folder } = experiment;
  const context = { folder, seed: definition.seed, loss: definition.loss };
  const data = await builtFrom(experiment.file, () => dataOf(definition.data, context, experiment.file));
  requireClasses(data, definition, experiment.file);
  progress('building the network');
  const { built, notes } = await networkOf(experiment, data);
  requireFit(built, data, experiment.file);
  const compiled = compiledNote(built.model, definition);
  return {
    experiment,
    backend,
    data,
    built,
    notes: [...(data.notes ?? []), ...notes, ...(compiled ? [compiled] : [])],
  };
}

/** The network of an experiment for its data; builders of the file are called with what they ask for. */
async function networkOf(
  { definition, file, exportName, builder }: ResolvedExperiment,
  data: Dataset,
): Promise<{ built: BuiltModel; notes: readonly string[] }> {
  const size = { inputShape: data.inputShape, outputs: data.outputs };
  const { model: spec, seed, args = {} } = definition;
  if (typeof spec !== 'function')
    return { built: await builtFrom(file, () => buildModel(spec, { ...size, seed })), notes: [] };
  const made = await modelOf(spec, { ...size, file, name: exportName, args, ofExperiment: !builder });
  const keeps = (spec as { keepsWeights?: boolean }).keepsWeights === true;
  const model = Object.assign(() => made.model, { keepsWeights: keeps });
  const built = await builtFrom(file, () => buildModel(model, { ...size, seed }));
  const { kept } = built;
  const notes = kept
    ? [
        say`${kept.weights} of ${kept.of} arrays of weights were set by the file and keep their values; the seed draws the others.`,
      ]
    : [];
  return { built, notes: [...made.notes, ...notes] };
}

/** What a builder of the user throws gets its place in the user's file. */
export async function builtFrom<T>(file: string, build: () => T | Promise<T>): Promise<T> {
  try {
    return await build();
  } catch (error) {
    throw placed(file, error);
  }
}

/** The network must take the data's inputs and give its number of outputs. */
function requireFit(built: BuiltModel, data: Dataset, file: string): void {
  const inputs = built.model.inputs.map((t) => t.shape.slice(1));
  const wanted = inputs[0];
  if (inputs.length > 1)
    throw new InputError(`${file}: the model has ${inputs.length} inputs; training takes models with one.`, {
      file,
      field: 'model',
    });
  const fits =
    wanted.length === data.inputShape.length &&
    wanted.every((n, i) => n === null || n === data.inputShape[i]);
  if (!fits)
    throw new InputError(
      `${file}: the model takes inputs of shape [${wanted.join(', ')}], but ${data.name} has [${data.inputShape.join(', ')}]. Change the input shape, or ask for another shape of the data (shape: 'flat' or 'image').`,
      { file, field: 'model' },
    );
  const outputs = built.model.outputs[0].shape.slice(1).reduce<number>((a, n) => a * (n ?? 1), 1);
  if (outputs !== data.outputs)
    throw new InputError(
      `${file}: the model has ${outputs} outputs, but ${data.name} needs ${data.outputs}${data.classes ? ` for ${data.classes} classes` : ''}.`,
      { file, field: 'model' },
    );
}

/**
 * One run from the request to its end: trains, writes the run folder, reports. Never throws for what is the user's or
 * the training's doing: the result says how it ended.
 */
export async function runSession(
  request: RunRequest,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<SessionResult> {
  const startedAt = new Date();
  let writer: RunWriter | null = null;
  let summary: TrainingSummary | null = null;
  let lastStep = 0;
  const resumed = request.resume ? readRunFile(path.resolve(request.resume)) : null;
  const prepared = await prepare(resumed ? resumedRequest(resumed, request) : request, events.progress);
  const { experiment, backend, data, built } = prepared;
  if (resumed) requireSame(resumed, experiment, request);
  const checkpointFile = resumed ? lastCheckpoint(resumed.info.folder) : null;
  const checkpoint = checkpointFile ? loadCheckpoint(checkpointFile) : undefined;
  const id = resumed?.info.run ?? request.runId ?? newRunId(experiment.file, experiment.exportName);
  const folder = resumed?.info.folder ?? path.resolve(request.runsFolder, id);
  if (!resumed) requireFree(folder);
  const end = (ended: RunEnded): SessionResult => {
    writer?.end(ended);
    built.model.dispose();
    return { ended, folder: writer?.folder ?? null, summary, backend };
  };
  const seconds = () => (Date.now() - startedAt.getTime()) / 1000;
  const open = (facts: ReadyFacts) => {
    const info = startedInfo(prepared, facts, id, folder, startedAt);
    const run = runFile(info, experiment.file, backend, request);
    writer = resumed
      ? RunWriter.resume(folder, { ...resumed, info }, checkpoint?.step ?? -1)
      : RunWriter.create(folder, run);
    events.started(info, resumed ? null : facts.loss);
    if (!resumed) {
      for (const text of prepared.notes) record({ kind: 'note', step: 0, level: 'info', text });
      const facts = { definition: experiment.definition, model: built.model, targets: data.train.y };
      for (const { message } of outputProblems(facts))
        record({ kind: 'note', step: 0, level: 'warning', text: spoken(message) });
    }
    if (!resumed && facts.probe > 0 && experiment.definition.measure.kernels !== 0) ghost(facts);
  };
  const record = (record: RunRecord) => {
    writer?.record(record);
    events.record(record);
  };
  /** The infinite-width spectrum beside the measured one, where there is a closed form. */
  const ghost = (facts: ReadyFacts) => {
    const factors = stepFactors(built, experiment.definition);
    const { limitEigenvalues } = limitSpectrum(built, data, facts.probeRows, factors);
    if (!limitEigenvalues) return;
    record({
      kind: 'snapshot',
      name: 'limitEigenvalues',
      step: 0,
      time: 0,
      shape: [limitEigenvalues.length],
      data: limitEigenvalues,
    });
  };
  try {
    const generator = train(
      { built, data, definition: experiment.definition, resume: checkpoint },
      {
        signal,
        gate: events.gate,
        throttle: request.throttle ? {} : undefined,
        onReady: open,
        onCheckpoint: (c) => saveCheckpoint(folder, c),
      },
    );
    const early: RunRecord[] = [];
    for (;;) {
      const next = await generator.next();
      if (next.done) {
        summary = next.value;
        break;
      }
      lastStep = Math.max(lastStep, next.value.step);
      // Notes may come before the run's facts are known.
      early.push(next.value);
      if (!writer) continue;
      for (const told of early.splice(0)) record(told);
    }
    const { loss, accuracy, drift, movement, regime } = summary;
    return end({
      status: summary.stopped ? (signal.reason === 'interrupted' ? 'interrupted' : 'stopped') : 'finished',
      step: summary.step,
      summary: { loss, accuracy, drift, movement, regime, seconds: seconds() },
    });
  } catch (error) {
    if (error instanceof InputError && !writer) throw error;
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof DivergedError) return end({ status: 'diverged', step: error.step, message });
    return end({ status: 'failed', step: lastStep, message });
  }
}

/** Nothing recorded is overwritten. */
function requireFree(folder: string): void {
  if (existsSync(path.join(folder, files.run)))
    throw new InputError(
      `${folder} already holds a run. Choose another folder, delete it, or go on with that run by --resume ${folder}.`,
      { file: folder },
    );
}

/** A run goes on as what it was: fields that the file now says differently are refused, but for what is asked for now. */
function requireSame(run: RunFile, experiment: ResolvedExperiment, request: RunRequest): void {
  const changed = changedFields(run.info.definition, plain(experiment.definition)).filter(
    (field) => !Object.keys(request.overrides).some((path) => `${field}.`.startsWith(`${path}.`)),
  );
  if (changed.length === 0) return;
  const { file } = experiment;
  throw new InputError(
    `${file} has changed since this run began (${changed.slice(0, 5).join(', ')}), so going on would be another run. Restore the file, or start a new run.`,
    { file, field: changed[0] },
  );
}

/** The request that makes the same run again: what run.json says, on the same backend. */
function resumedRequest(run: RunFile, request: RunRequest): RunRequest {
  const { file, exportName } = run.info.source;
  const backend = run.info.backend.name as RunRequest['backend'];
  const { overrides, data } = run.request;
  return {
    ...request,
    file,
    exportName,
    backend,
    overrides: { ...overrides, ...request.overrides },
    data: data ?? request.data,
  };
}

function startedInfo(
  prepared: Prepared,
  facts: ReadyFacts,
  run: string,
  folder: string,
  startedAt: Date,
): RunStarted {
  const { experiment, backend, data } = prepared;
  const { definition } = experiment;
  return {
    run,
    folder,
    name:
      definition.name ??
      `${path.basename(experiment.file)}${experiment.exportName === 'default' ? '' : ` · ${experiment.exportName}`}`,
    source: { file: experiment.file, exportName: experiment.exportName },
    definition: plain(definition),
    backend: { name: backend.name, why: backend.why },
    steps: definition.steps,
    learningRate: facts.learningRate,
    parameters: facts.parameters,
    layers: facts.layers,
    probe: { size: facts.probe, outputs: data.outputs, labels: facts.probeLabels },
    outputs: data.outputs,
    train: data.train.size,
    test: data.test.size,
    seed: definition.seed,
    startedAt: startedAt.toISOString(),
  };
}

/** The definition as JSON can hold it: a builder function becomes its source text. */
function plain(definition: ResolvedExperiment['definition']): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(definition, (_key, value) =>
      typeof value === 'function' ? { builder: String(value) } : value,
    ),
  ) as Record<string, unknown>;
}

function runFile(
  info: RunStarted,
  source: string,
  backend: BackendReport,
  { overrides, data, sweep }: RunRequest,
): RunFile {
  return {
    schemaVersion: runSchemaVersion,
    info,
    status: 'running',
    request: { overrides, data },
    ...(sweep === undefined ? {} : { sweep }),
    pid: process.pid,
    source: {
      sha256: sourceHash(source),
      gitCommit: gitCommit(path.dirname(source)),
    },
    versions: backend.versions,
    machine: {
      platform: process.platform,
      arch: process.arch,
      cpu: os.cpus()[0]?.model ?? 'unknown',
      cores: os.availableParallelism(),
      memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    },
  };
}

function gitCommit(folder: string): string | null {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 2000,
    })
      .toString()
      .trim();
  } catch {
    return null;
  }
}

/** The backend that runs now, for inspections that follow a run. */
export const currentBackend = backendInUse;
