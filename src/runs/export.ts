import { createHash } from 'node:crypto';
import path from 'node:path';
import { encodeNpz, type NpzEntry } from '../core/npz.js';
import { readRun, readSnapshots } from './reader.js';
import { forOthers } from './shared.js';
import { scalarEvents } from './tensorboard.js';

export const exportFormats = ['csv', 'npz', 'tensorboard', 'json'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** Name a format's file gets when none is given. */
export function exportName(folder: string, format: ExportFormat): string {
  const id = path.basename(folder);
  const time = Math.floor(Date.now() / 1000);
  return {
    csv: `${id}.csv`,
    npz: `${id}.npz`,
    json: `${id}.json`,
    tensorboard: `events.out.tfevents.${time}.${id}-${createHash('sha256').update(path.resolve(folder)).digest('hex').slice(0, 8)}`,
  }[format];
}

export interface ExportOptions {
  /** Whether json says where on this machine the run and its model file lie. */
  readonly places?: boolean;
}

/**
 * A run in another format. csv: one row a metrics row, empty where not measured. npz: `metrics/<column>` [rows] and
 * `<name>` [measurements, ...shape] with `<name>/step`. json: everything but arrays. tensorboard: an event file of scalars.
 */
export function exportRun(
  folder: string,
  format: ExportFormat,
  { places = false }: ExportOptions = {},
): Uint8Array {
  const run = readRun(folder);
  const { step, time, columns } = run.metrics;
  const text = (value: string) => new TextEncoder().encode(value);
  switch (format) {
    case 'csv': {
      const names = Object.keys(columns);
      const cell = (v: number) => (Number.isFinite(v) ? String(v) : '');
      const quoted = (name: string) => (/[",\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
      const lines = [['step', 'time', ...names].map(quoted).join(',')];
      for (let i = 0; i < step.length; i++)
        lines.push([step[i], time[i], ...names.map((name) => columns[name][i])].map(cell).join(','));
      return text(`${lines.join('\n')}\n`);
    }
    case 'json': {
      const list = (values: Float64Array) => Array.from(values, (v) => (Number.isFinite(v) ? v : null));
      return text(
        `${JSON.stringify({
          run: places ? run.run : forOthers(run.run),
          metrics: {
            step: list(step),
            time: list(time),
            ...Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, list(values)])),
          },
          events: run.events,
        })}\n`,
      );
    }
    case 'npz':
      return encodeNpz(arraysOf(folder, { step, time, ...columns }));
    case 'tensorboard':
      return scalarEvents(run.metrics, new Date(run.run.info.startedAt).getTime() / 1000, run.seconds);
  }
}

function arraysOf(folder: string, metrics: Readonly<Record<string, Float64Array>>): Record<string, NpzEntry> {
  const entries: Record<string, NpzEntry> = {};
  for (const [name, data] of Object.entries(metrics)) entries[`metrics/${name}`] = { data };
  const byName = new Map<string, ReturnType<typeof readSnapshots>>();
  for (const snapshot of readSnapshots(folder)) {
    const all = byName.get(snapshot.name) ?? [];
    byName.set(snapshot.name, all);
    all.push(snapshot);
  }
  for (const [name, all] of byName) {
    const size = all[0].data.length;
    const same = all.filter((s) => s.data.length === size);
    const data =
      all[0].data instanceof Float64Array
        ? new Float64Array(size * same.length)
        : new Float32Array(size * same.length);
    for (const [i, s] of same.entries()) data.set(s.data, i * size);
    entries[name] = { data, shape: [same.length, ...all[0].shape] };
    entries[`${name}/step`] = { data: Float64Array.from(same, (s) => s.step) };
  }
  return entries;
}
