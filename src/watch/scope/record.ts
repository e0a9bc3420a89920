import { appendFileSync } from 'node:fs';
import os from 'node:os';
import type { RunEnded, RunRecord, RunStarted } from '../../protocol/records.js';
import {
  type ControlFile,
  ownIdentity,
  RunWriter,
  removeControl,
  runSchemaVersion,
  sourceHash,
  timedName,
  writeControl,
} from '../../runs/index.js';

/** The run folder of one training of a watched program. */
export class Recording {
  private readonly writer: RunWriter;
  private over = false;

  constructor(
    readonly info: RunStarted,
    versions: Readonly<Record<string, string>>,
    announce: string | undefined,
    control: ControlFile,
  ) {
    this.writer = RunWriter.create(info.folder, {
      schemaVersion: runSchemaVersion,
      kind: 'watched',
      info,
      status: 'running',
      request: { overrides: {} },
      pid: process.pid,
      owner: ownIdentity(),
      source: { sha256: sourceHash(info.source.file), gitCommit: null },
      versions,
      machine: {
        platform: process.platform,
        arch: process.arch,
        cpu: os.cpus()[0]?.model ?? 'unknown',
        cores: os.availableParallelism(),
        memoryGiB: Math.round(os.totalmem() / 2 ** 30),
      },
    });
    writeControl(info.folder, { socket: control.socket, token: control.token });
    if (announce) appendFileSync(announce, `${info.folder}\n`);
  }

  record(record: RunRecord): void {
    if (!this.over) this.writer.record(record);
  }

  status(status: 'running' | 'paused'): void {
    if (!this.over) this.writer.setStatus(status);
  }

  end(ended: RunEnded): void {
    if (this.over) return;
    this.over = true;
    removeControl(this.info.folder);
    this.writer.end(ended);
  }
}

/** Name of a run folder: when, which program, which model. */
export function runName(program: string, model: string, count: number): string {
  const part = timedName(program, model).slice(0, 80);
  return `${part}-${process.pid}${count === 0 ? '' : `.${count}`}`;
}
