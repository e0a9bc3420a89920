import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { files } from './layout.js';

/** Bytes read at each place: more than one row of a run with many layers. */
const window = 4096;

/** Losses of the first whole rows at evenly spaced places of metrics.jsonl: the same few reads for a run of any length. */
export function lossSketch(folder: string, points = 12): number[] {
  let handle: number;
  try {
    handle = openSync(path.join(folder, files.metrics), 'r');
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(handle);
    const losses = new Map<number, number>();
    for (let k = 0; k < points; k++) {
      const from = Math.max(0, Math.floor((k * Math.max(0, size - window)) / Math.max(1, points - 1)));
      const buffer = Buffer.alloc(Math.min(window, size - from));
      const read = readSync(handle, buffer, 0, buffer.length, from);
      const lines = buffer.toString('utf8', 0, read).split('\n');
      // The first piece is a part of a row unless it starts the file; the last one has no end yet.
      const rows = lines.slice(from === 0 ? 0 : 1, -1);
      const wanted =
        k === points - 1 || size <= window ? rows[spread(k, points, rows.length, size)] : rows[0];
      const row = wanted === undefined ? null : parse(wanted);
      if (row) losses.set(row.step, row.loss);
    }
    return [...losses].sort(([a], [b]) => a - b).map(([, loss]) => loss);
  } finally {
    closeSync(handle);
  }
}

/** Which row of a window stands for a point: all points share the window of a small file, the last point wants the last row. */
function spread(k: number, points: number, rows: number, size: number): number {
  if (size > window) return rows - 1;
  return Math.round((k * (rows - 1)) / Math.max(1, points - 1));
}

function parse(text: string): { readonly step: number; readonly loss: number } | null {
  try {
    const { step, loss } = JSON.parse(text) as { step: number; loss: number | null };
    return typeof loss === 'number' ? { step, loss } : null;
  } catch {
    return null;
  }
}
