import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inflateRawSync } from 'node:zlib';
import { decodeNpz, encodeNpz, type NpzEntry } from '../../core/npz.js';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from '../../network/training/index.js';
import type { LearningCurve } from './learningCurve.js';

interface KeptCourse {
  /** Text of everything the course depends on. */
  readonly key: string;
  readonly course: LearningCurve;
}

export interface Arrays {
  readonly [name: string]: NpzEntry;
}

const nanToNull = (_name: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isFinite(value) ? null : value;

function replace(file: string, content: string | Uint8Array): void {
  const temporary = `${file}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, file);
}

/**
 * Keeps what stages have come to: in a folder, so that the same command goes on after an interruption, or in memory
 * for one call. Files are replaced whole, so that a kill leaves the earlier ones.
 */
export class Keeper {
  private readonly arrays = new Map<string, Arrays>();

  constructor(
    private readonly folder: string | null,
    private readonly survey: string,
    /** What results depend on beside the stage's plan: preset, seed, backend. */
    private readonly circumstances: Readonly<Record<string, unknown>>,
  ) {
    if (folder) mkdirSync(folder, { recursive: true });
  }

  /** The course of a stage as far as it came, when it was kept under the same plan and circumstances. */
  course(stage: string, plan: unknown): LearningCurve | null {
    const file = this.file(stage, 'json');
    if (!file || !existsSync(file)) return null;
    const kept = JSON.parse(readFileSync(file, 'utf8'), (_name, value) => value ?? Number.NaN) as KeptCourse;
    return kept.key === this.key(plan) ? kept.course : null;
  }

  keepCourse(stage: string, plan: unknown, course: LearningCurve): void {
    const file = this.file(stage, 'json');
    if (!file) return;
    const kept: KeptCourse = { key: this.key(plan), course };
    replace(file, `${JSON.stringify(kept, nanToNull, 1)}\n`);
    if (course.complete) rmSync(this.file(stage, 'checkpoint.npz') as string, { force: true });
  }

  checkpoint(stage: string): Checkpoint | null {
    const file = this.file(stage, 'checkpoint.npz');
    if (!file || !existsSync(file)) return null;
    return decodeCheckpoint(Uint8Array.from(readFileSync(file)), file, inflateRawSync);
  }

  keepCheckpoint(stage: string, checkpoint: Checkpoint): void {
    const file = this.file(stage, 'checkpoint.npz');
    if (file) replace(file, encodeCheckpoint(checkpoint));
  }

  /** Arrays that a finished stage leaves to later ones, such as trained neurons. */
  kept(stage: string): Arrays | null {
    const known = this.arrays.get(stage);
    if (known) return known;
    const file = this.file(stage, 'npz');
    if (!file || !existsSync(file)) return null;
    const read = decodeNpz(Uint8Array.from(readFileSync(file)), file, inflateRawSync);
    const arrays: Arrays = Object.fromEntries(
      [...read].map(([name, { data, shape }]) => [name, { data, shape } as NpzEntry]),
    );
    this.arrays.set(stage, arrays);
    return arrays;
  }

  keep(stage: string, arrays: Arrays): void {
    this.arrays.set(stage, arrays);
    const file = this.file(stage, 'npz');
    if (file) replace(file, encodeNpz({ ...arrays }));
  }

  private key(plan: unknown): string {
    return JSON.stringify({ ...this.circumstances, plan });
  }

  private file(stage: string, ending: string): string | null {
    return this.folder
      ? path.join(this.folder, `${this.survey}.${stage.replace(/[^\w.=-]+/g, '_')}.${ending}`)
      : null;
  }
}
