import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import path from 'node:path';
import { decodeNpy } from '../core/npy.js';
import type { NoteRecord, RegimeRecord, Snapshot, SnapshotName } from '../protocol/records.js';
import type { MetricsFrame } from '../protocol/trainerWire.js';
import { files } from './layout.js';
import { framesOf } from './rows.js';

/** What has come to a run folder since it was last looked at. */
export interface RunNews {
  readonly metrics: MetricsFrame;
  readonly snapshots: readonly Snapshot[];
  readonly events: readonly (RegimeRecord | NoteRecord)[];
}

/** Whole lines that are appended to a file, as they come. */
class LineTail {
  private offset = 0;

  constructor(private readonly file: string) {}

  next<T>(): T[] {
    let handle: number;
    try {
      handle = openSync(this.file, 'r');
    } catch {
      return [];
    }
    try {
      const { size } = fstatSync(handle);
      // It was written anew: a run that goes on from an earlier step.
      if (size < this.offset) this.offset = 0;
      const buffer = Buffer.alloc(size - this.offset);
      const read = readSync(handle, buffer, 0, buffer.length, this.offset);
      const whole = buffer.lastIndexOf(10, read - 1) + 1;
      this.offset += whole;
      return buffer
        .toString('utf8', 0, whole)
        .split('\n')
        .filter(Boolean)
        .flatMap(parsed<T>);
    } finally {
      closeSync(handle);
    }
  }
}

function parsed<T>(text: string): T[] {
  try {
    return [JSON.parse(text) as T];
  } catch {
    return [];
  }
}

/** Follows a run folder that another process writes. The first look takes everything that is there. */
export class RunTail {
  private readonly metrics: LineTail;
  private readonly timing: LineTail;
  private readonly events: LineTail;
  private readonly seen = new Set<string>();

  constructor(private readonly folder: string) {
    this.metrics = new LineTail(path.join(folder, files.metrics));
    this.timing = new LineTail(path.join(folder, files.timing));
    this.events = new LineTail(path.join(folder, files.events));
  }

  /** Null where nothing has come. */
  next(): RunNews | null {
    const rows = this.metrics.next<Record<string, number | null>>();
    const taxes = new Map(
      this.timing.next<{ step: number; tax?: number }>().map(({ step, tax }) => [step, tax]),
    );
    const events = this.events.next<RegimeRecord | NoteRecord>();
    // Arrays come beside rows and events; without these the folders need not be listed.
    if (rows.length === 0 && events.length === 0) return null;
    const withTax = rows.map((row) => {
      const tax = taxes.get(row['step'] ?? Number.NaN);
      return tax === undefined ? row : { ...row, tax };
    });
    return { metrics: framesOf(withTax), events, snapshots: this.arrays() };
  }

  private arrays(): Snapshot[] {
    const arrays = path.join(this.folder, 'arrays');
    const found = [
      ...this.arraysIn('kernel', path.join(this.folder, 'kernels')),
      ...this.arraysIn('eigenvalues', path.join(this.folder, 'spectra')),
      ...(existsSync(arrays)
        ? readdirSync(arrays).flatMap((name) => this.arraysIn(name, path.join(arrays, name)))
        : []),
    ];
    return found.sort((a, b) => a.step - b.step);
  }

  private arraysIn(name: string, place: string): Snapshot[] {
    if (!existsSync(place)) return [];
    return readdirSync(place).flatMap((file) => {
      const whole = path.join(place, file);
      if (!file.endsWith('.npy') || this.seen.has(whole)) return [];
      this.seen.add(whole);
      try {
        const { shape, data } = decodeNpy(readFileSync(whole), whole);
        if (!(data instanceof Float32Array || data instanceof Float64Array)) return [];
        const step = Number(file.slice(0, -4));
        return [
          { kind: 'snapshot', name: name as SnapshotName, step, time: Number.NaN, shape, data } as const,
        ];
      } catch {
        return [];
      }
    });
  }
}
