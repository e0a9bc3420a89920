/**
 * The script of the self-contained HTML report: the dashboard over runs that are embedded in the page as JSON
 * (`<script type="application/json" id="runs">`, an array of `EmbeddedRun`).
 */
import type { NoteRecord, RegimeRecord, Snapshot } from '../src/protocol/records.js';
import type { RunView } from '../src/protocol/viewWire.js';
import { Page } from './page.js';
import { RunData } from './store.js';
import { registerControls } from './toolkit.js';
import { element } from './ui/dom.js';

export interface EmbeddedRun {
  readonly run: RunView;
  readonly metrics: {
    readonly step: readonly number[];
    readonly time: readonly number[];
    /** null where not measured. */
    readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
  };
  /** `data` is base64 of little-endian float32. */
  readonly snapshots: readonly (Omit<Snapshot, 'data' | 'kind'> & { readonly data: string })[];
  readonly events: readonly (RegimeRecord | NoteRecord)[];
}

function decode(text: string): Float32Array {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

const column = (values: readonly (number | null)[]): Float64Array =>
  Float64Array.from(values, (v) => v ?? Number.NaN);

function download(name: string, blob: Blob): void {
  const link = element('a', { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function start(): void {
  const source = document.getElementById('runs');
  const root = document.getElementById('dashboard');
  if (!source?.textContent || !root) return;
  registerControls();
  root.replaceChildren();
  const outlet = {
    file: (name: string, _mime: string, blob: Blob) => download(name, blob),
    copy: (text: string) => void navigator.clipboard.writeText(text),
  };
  const page = new Page(root, outlet, { command: null });
  for (const embedded of JSON.parse(source.textContent) as EmbeddedRun[]) {
    const run = new RunData(embedded.run.info, embedded.run.status, embedded.run.ended);
    const columns = Object.fromEntries(
      Object.entries(embedded.metrics.columns).map(([name, values]) => [name, column(values)]),
    );
    run.append(
      { step: column(embedded.metrics.step), time: column(embedded.metrics.time), columns },
      embedded.snapshots.map((s) => ({ ...s, kind: 'snapshot' as const, data: decode(s.data) })),
      embedded.events,
    );
    page.put(run);
  }
}

start();
