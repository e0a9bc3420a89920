import { existsSync, rmdirSync } from 'node:fs';
import path from 'node:path';
import { DivergedError, InputError } from '../core/errors.js';
import { say } from '../core/say.js';
import { type BackendReport, backendInUse } from '../network/backends/index.js';
import {
  type Checkpoint,
  type ReadyFacts,
  stepFactors,
  type TrainingSummary,
  train,
} from '../network/training/index.js';
import type { RunEnded } from '../protocol/records.js';
import { spoken } from '../protocol/sentence.js';
import type { RunRequest } from '../protocol/trainerWire.js';
import {
  claimRun,
  type FolderLock,
  files,
  leavesOf,
  type RunFile,
  RunWriter,
  readRunFile,
} from '../runs/index.js';
import { loadCheckpoint, saveCheckpoint } from './checkpoints.js';
import { outputProblems } from './checks/outputProblems.js';
import { fingerprintOf, otherMachine, requireSame, requireSameDefinition } from './fingerprint.js';
import { limitSpectrum } from './infiniteWidthSpectrum.js';
import { type Prepared, prepare } from './prepare.js';
import { keptNames, Recorder, type SessionEvents } from './recorder.js';
import { newRunId, runFile, startedInfo } from './runFacts.js';

export interface SessionResult {
  readonly ended: RunEnded;
  readonly folder: string | null;
  readonly summary: TrainingSummary | null;
  readonly backend: BackendReport | null;
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
  const place = request.resume ? path.resolve(request.resume) : null;
  if (place) readRunFile(place);
  // Nobody else writes the run between what is read of it now and its end.
  const claim = place ? claimRun(place) : null;
  try {
    const resumed = place ? readRunFile(place) : null;
    if (resumed?.ended && isOver(resumed, request.overrides)) {
      await requireSameDefinition(resumed);
      events.started(resumed.info, null);
      return { ended: resumed.ended, folder: place, summary: null, backend: null };
    }
    return await trainRun(request, { resumed, claim, startedAt }, events, signal);
  } finally {
    claim?.release();
  }
}

/** Whether a run has come to its own end, and nothing is asked for that would take it further. */
function isOver(run: RunFile, overrides: Readonly<Record<string, unknown>>): boolean {
  if (run.status !== 'finished' && run.status !== 'diverged') return false;
  const fields = leavesOf(run.info.definition);
  return Object.entries(overrides).every(
    ([field, value]) => JSON.stringify(fields.get(field)) === JSON.stringify(value),
  );
}

interface Opening {
  readonly resumed: RunFile | null;
  /** The lock of a run that goes on. */
  readonly claim: FolderLock | null;
  readonly startedAt: Date;
}

async function trainRun(
  request: RunRequest,
  { resumed, claim, startedAt }: Opening,
  events: SessionEvents,
  signal: AbortSignal,
): Promise<SessionResult> {
  const prepared = await prepare(resumed ? resumedRequest(resumed, request) : request, events.progress);
  const { experiment, backend, data, built } = prepared;
  try {
    const fingerprint = fingerprintOf(experiment, data, backend);
    const now = { experiment, backend, fingerprint };
    if (resumed) requireSame(resumed, now, request.overrides);
    const saved = resumed ? loadCheckpoint(resumed.info.folder) : null;
    for (const text of saved?.damaged ?? []) events.progress(say`an earlier checkpoint is taken: ${text}`);
    const checkpoint = saved && pointOf(saved.checkpoint, resumed, request.overrides);
    const id = request.runId ?? newRunId(experiment.file, experiment.exportName);
    const folder = resumed?.info.folder ?? path.resolve(request.runsFolder, id);
    const lock = claim ?? claimRun(folder);
    const recorder = new Recorder(events, folder, (facts) => {
      const now = startedInfo(prepared, facts, folder, startedAt);
      const names = keptNames(now.layers, resumed?.info.layers ?? now.layers);
      const info = names.size > 0 && resumed ? { ...now, layers: resumed.info.layers } : now;
      const point = saved && {
        step: saved.checkpoint.step,
        measured: checkpoint?.recorder?.told.kernel ?? true,
        marks: saved.marks,
      };
      const writer = resumed
        ? RunWriter.resume(folder, { ...resumed, info, request: askedFor(resumed, request) }, point, lock)
        : RunWriter.create(folder, runFile(info, fingerprint, prepared, request), lock);
      return { writer, info, loss: resumed ? null : facts.loss, names };
    });
    const open = (facts: ReadyFacts) => {
      recorder.open(facts);
      if (!resumed) tellNotes(prepared, recorder);
      const text = resumed && otherMachine(resumed, now);
      if (text) recorder.tell({ kind: 'note', step: checkpoint?.step ?? 0, level: 'warning', text });
      if (!checkpoint && facts.probe > 0 && experiment.definition.measure.kernels !== 0)
        ghost(prepared, facts, recorder);
    };
    try {
      if (!resumed) requireFree(folder);
      const run = train(
        { built, data, definition: experiment.definition, resume: checkpoint ?? undefined },
        {
          signal,
          gate: events.gate,
          throttle: request.throttle ? {} : undefined,
          onReady: open,
          onCheckpoint: (c, planned) => {
            if (recorder.writer) saveCheckpoint(recorder.writer, c, planned);
          },
        },
      );
      const summary = await recorder.follow(run);
      const { loss, accuracy, drift, movement, regime } = summary;
      const seconds = (Date.now() - startedAt.getTime()) / 1000;
      const ended: RunEnded = {
        status: summary.stopped ? (signal.reason === 'interrupted' ? 'interrupted' : 'stopped') : 'finished',
        step: summary.step,
        summary: { loss, accuracy, drift, movement: recorder.movement(movement), regime, seconds },
      };
      return { ...recorder.end(ended), summary, backend };
    } catch (error) {
      if (error instanceof InputError && !recorder.writer) throw error;
      const message = error instanceof Error ? error.message : String(error);
      const ended: RunEnded =
        error instanceof DivergedError
          ? { status: 'diverged', step: error.step, message }
          : { status: 'failed', step: recorder.lastStep, message };
      return { ...recorder.end(ended), summary: null, backend };
    } finally {
      if (recorder.writer) recorder.writer.close();
      else if (!claim) abandon(folder, lock);
    }
  } finally {
    built.model.dispose();
  }
}

/** What was guessed, left out or replaced on the way to the first step, and what does not go with the loss. */
function tellNotes({ experiment, built, data, notes }: Prepared, recorder: Recorder): void {
  for (const text of notes) recorder.tell({ kind: 'note', step: 0, level: 'info', text });
  const facts = { definition: experiment.definition, model: built.model, targets: data.train.y };
  for (const { message } of outputProblems(facts))
    recorder.tell({ kind: 'note', step: 0, level: 'warning', text: spoken(message) });
}

/** The infinite-width spectrum beside the measured one, where there is a closed form. */
function ghost({ built, data, experiment }: Prepared, facts: ReadyFacts, recorder: Recorder): void {
  const factors = stepFactors(built, experiment.definition);
  const { limitEigenvalues } = limitSpectrum(built, data, facts.probeRows, factors);
  if (!limitEigenvalues) return;
  recorder.tell({
    kind: 'snapshot',
    name: 'limitEigenvalues',
    step: 0,
    time: 0,
    shape: [limitEigenvalues.length],
    data: limitEigenvalues,
  });
}

/** Lets go of a folder in which no run began, and removes it where it was made for it. */
function abandon(folder: string, lock: FolderLock): void {
  lock.release();
  try {
    rmdirSync(folder);
  } catch {
    // It holds something, so it is not ours.
  }
}

/** The checkpoint to go on from; one of the end counts as one on the way where the run is taken further. */
function pointOf(
  checkpoint: Checkpoint,
  run: RunFile | null,
  overrides: Readonly<Record<string, unknown>>,
): Checkpoint {
  const { recorder } = checkpoint;
  if (!recorder?.over || !run || isOver({ ...run, status: 'finished' }, overrides)) return checkpoint;
  return { ...checkpoint, recorder: { ...recorder, over: false } };
}

/** Nothing recorded is overwritten. */
function requireFree(folder: string): void {
  if (existsSync(path.join(folder, files.run)))
    throw new InputError(
      `${folder} already holds a run. Choose another folder, delete it, or go on with that run by --resume ${folder}.`,
      { file: folder },
    );
}

/** What a run was asked to be, with what is asked for now: the next one who goes on with it has to know both. */
const askedFor = (run: RunFile, { overrides }: RunRequest): RunFile['request'] => ({
  ...run.request,
  overrides: { ...run.request.overrides, ...overrides },
});

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

/** The backend that runs now, for inspections that follow a run. */
export const currentBackend = backendInUse;
