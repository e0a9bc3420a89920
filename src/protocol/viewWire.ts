/**
 * The wire between the extension host and a webview panel. The host owns the data; a panel is a picture of it: a
 * panel that appears gets a decimated `snapshot`, afterwards `frame`s since its last `ack`. Arrays are exact-size.
 */
import type { NoteRecord, RegimeRecord, RunEnded, RunStarted, RunStatus, Snapshot } from './records.js';
import type { MetricsFrame } from './trainerWire.js';

export const viewWireVersion = 1;

export interface RunView {
  readonly info: RunStarted;
  readonly status: RunStatus;
  readonly ended?: RunEnded;
}

export type ToView =
  | {
      readonly type: 'hello';
      readonly version: number;
      readonly settings: { readonly reducedMotion: boolean; readonly logLoss: boolean };
      readonly strings: Readonly<Record<string, string>>;
    }
  /** Whole (decimated) history of one run; replaces whatever the panel held of it. */
  | {
      readonly type: 'snapshot';
      readonly run: RunView;
      readonly metrics: MetricsFrame;
      readonly snapshots: readonly Snapshot[];
      readonly events: readonly (RegimeRecord | NoteRecord)[];
    }
  | {
      readonly type: 'frame';
      readonly run: string;
      readonly seq: number;
      readonly metrics: MetricsFrame;
      readonly snapshots: readonly Snapshot[];
      readonly events: readonly (RegimeRecord | NoteRecord)[];
    }
  | { readonly type: 'status'; readonly run: string; readonly status: RunStatus; readonly ended?: RunEnded }
  | { readonly type: 'remove'; readonly run: string }
  | { readonly type: 'failure'; readonly text: string };

export type FromView =
  | { readonly type: 'ready'; readonly version: number }
  | { readonly type: 'ack'; readonly run: string; readonly seq: number }
  | {
      readonly type: 'command';
      readonly name: 'pause' | 'resume' | 'step' | 'stop' | 'reveal' | 'report' | 'compare';
      readonly run: string;
    }
  /** The panel does not show this run any more. */
  | { readonly type: 'hide'; readonly run: string }
  /** A file the panel produced: chart image, table, report fragment; the host asks where to put it. */
  | { readonly type: 'export'; readonly name: string; readonly mime: string; readonly data: ArrayBuffer }
  | { readonly type: 'copy'; readonly text: string }
  | { readonly type: 'problem'; readonly text: string };
