import type { MetricsRow, NoteRecord, RegimeRecord, RunRecord, Snapshot } from '../protocol/records.js';
import type { FromTrainer } from '../protocol/trainerWire.js';
import { framesOf } from '../runs/rows.js';

type Frame = Extract<FromTrainer, { type: 'frame' }>;

/** Time and rows after which a frame goes out, and frames that may be on their way. */
const patience = 50;
const mostRows = 256;
const mostFlying = 2;

/**
 * Gathers records into frames: one goes out with the first row, then every 50 ms or 256 rows; at most two are
 * unacknowledged. While the other side is slow, frames merge: rows pile up as columns, and of an array measured twice
 * both are kept.
 */
export class Pump {
  private rows: MetricsRow[] = [];
  private snapshots: Snapshot[] = [];
  private events: (RegimeRecord | NoteRecord)[] = [];
  private next = 0;
  private flying = 0;
  private timer: NodeJS.Timeout | null = null;
  private lastSent = Number.NEGATIVE_INFINITY;

  constructor(private readonly send: (frame: Frame) => void) {}

  push(record: RunRecord): void {
    if (record.kind === 'metrics') this.rows.push(record);
    else if (record.kind === 'snapshot') this.snapshots.push(record);
    else this.events.push(record);
    // A row ends what is said of its step; training that is busy gives the timer no turn.
    const due = record.kind === 'metrics' && performance.now() - this.lastSent >= patience;
    if (due || this.rows.length >= mostRows) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), patience);
  }

  /** The other side has taken a frame. */
  acknowledge(): void {
    this.flying = Math.max(0, this.flying - 1);
    if (this.rows.length + this.snapshots.length + this.events.length > 0 && !this.timer) this.flush();
  }

  /** Sends what is there; with `always` even when frames are on their way (before the end of a run). */
  flush(always = false): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    if (this.rows.length + this.snapshots.length + this.events.length === 0) return;
    if (this.flying >= mostFlying && !always) return;
    const metrics = framesOf(this.rows.map((row) => ({ step: row.step, time: row.time, ...row.values })));
    this.flying++;
    this.lastSent = performance.now();
    this.send({ type: 'frame', frame: this.next++, metrics, snapshots: this.snapshots, events: this.events });
    this.rows = [];
    this.snapshots = [];
    this.events = [];
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }
}
