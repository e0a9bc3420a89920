import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import type { ReadyFacts } from '../network/training/index.js';
import type { RunStarted } from '../protocol/records.js';
import type { RunRequest } from '../protocol/trainerWire.js';
import {
  type Fingerprint,
  ownIdentity,
  type RunFile,
  runIdOf,
  runSchemaVersion,
  timedName,
} from '../runs/index.js';
import { plainDefinition } from './fingerprint.js';
import type { Prepared } from './prepare.js';

/** A run id: time, then the name of the file and export. Sorts by time and is safe as a folder name. */
export function newRunId(file: string, exportName: string): string {
  return timedName(file, exportName === 'default' ? '' : exportName);
}

/** Facts of a run before its first step. */
export function startedInfo(
  prepared: Prepared,
  facts: ReadyFacts,
  folder: string,
  startedAt: Date,
): RunStarted {
  const { experiment, backend, data } = prepared;
  const { definition } = experiment;
  return {
    run: runIdOf(folder),
    folder,
    name:
      definition.name ??
      `${path.basename(experiment.file)}${experiment.exportName === 'default' ? '' : ` · ${experiment.exportName}`}`,
    source: { file: experiment.file, exportName: experiment.exportName },
    definition: plainDefinition(definition),
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

/** run.json of a run that begins. */
export function runFile(
  info: RunStarted,
  fingerprint: Fingerprint,
  { experiment, backend }: Prepared,
  { overrides, data, sweep, cell }: RunRequest,
): RunFile {
  return {
    schemaVersion: runSchemaVersion,
    info,
    status: 'running',
    request: { overrides, data },
    ...(sweep === undefined ? {} : { sweep }),
    ...(cell === undefined ? {} : { cell }),
    pid: process.pid,
    owner: ownIdentity(),
    source: {
      sha256: fingerprint.files[path.basename(experiment.file)] ?? '',
      gitCommit: gitCommit(path.dirname(experiment.file)),
    },
    fingerprint,
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
