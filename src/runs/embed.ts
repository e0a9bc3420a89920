import { createHash } from 'node:crypto';
import type { Snapshot } from '../protocol/records.js';
import type { RunView } from '../protocol/viewWire.js';
import { readRun, readSnapshots, type StoredRun } from './reader.js';
import { forOthers } from './shared.js';

/** Kernels kept in a page: they are by far its largest part. */
const mostKernels = 9;
/** Rows kept of a run's metrics. */
const mostRows = 4000;

/** A run as a page embeds it; the reading side is webview/report.ts. */
interface EmbeddedRun {
  readonly run: RunView;
  readonly metrics: {
    readonly step: readonly number[];
    readonly time: readonly number[];
    readonly columns: Readonly<Record<string, readonly (number | null)[]>>;
  };
  readonly snapshots: readonly (Omit<Snapshot, 'data' | 'kind'> & { readonly data: string })[];
  readonly events: StoredRun['events'];
}

const base64 = (data: Float32Array | Float64Array): string => {
  const single = data instanceof Float32Array ? data : Float32Array.from(data);
  return Buffer.from(single.buffer, single.byteOffset, single.byteLength).toString('base64');
};

/** Evenly chosen rows, with the first, the last and every row that holds a kernel's numbers. */
function chosenRows(run: StoredRun): number[] {
  const { step, columns } = run.metrics;
  const every = Math.max(1, Math.ceil(step.length / mostRows));
  const rows: number[] = [];
  for (let i = 0; i < step.length; i++)
    if (i % every === 0 || i === step.length - 1 || Number.isFinite(columns['drift']?.[i] ?? Number.NaN))
      rows.push(i);
  return rows;
}

function embed(folder: string): EmbeddedRun {
  const run = readRun(folder);
  const rows = chosenRows(run);
  const take = (values: Float64Array) => rows.map((i) => values[i]);
  const finite = (values: Float64Array) => take(values).map((v) => (Number.isFinite(v) ? v : null));
  const all = readSnapshots(run.folder);
  const kernels = all.filter((s) => s.name === 'kernel');
  const kept = new Set(
    kernels.filter((_, i) => {
      const place = (i * (mostKernels - 1)) / Math.max(1, kernels.length - 1);
      return (
        kernels.length <= mostKernels ||
        Math.abs(place - Math.round(place)) < (mostKernels - 1) / kernels.length / 2
      );
    }),
  );
  return {
    run: forOthers({ info: run.run.info, status: run.run.status, ended: run.run.ended }),
    metrics: {
      step: take(run.metrics.step),
      time: take(run.metrics.time),
      columns: Object.fromEntries(
        Object.entries({ ...run.metrics.columns, tax: run.tax }).map(([name, v]) => [name, finite(v)]),
      ),
    },
    snapshots: all
      .filter((s) => s.name !== 'kernel' || kept.has(s))
      .map(({ kind: _kind, data, ...rest }) => ({ ...rest, data: base64(data) })),
    events: run.events,
  };
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

/** What a policy calls the very text of a script: no other one runs, also not one that data bring in. */
const hashOf = (text: string): string => `sha256-${createHash('sha256').update(text).digest('base64')}`;

export interface PageParts {
  /** dist/webview/report.js and styles.css, as text. */
  readonly script: string;
  readonly styles: string;
}

/**
 * A self-contained HTML page of one or more runs: the dashboard's charts over the embedded data, no network. Throws an
 * InputError for a folder that is no run.
 */
export function reportPage(folders: readonly string[], { script, styles }: PageParts): string {
  const runs = folders.map(embed);
  // "</script>" inside the data would end it early; the escape is valid JSON.
  const data = JSON.stringify(runs).replaceAll('<', '\\u003c');
  const code = script.replaceAll('</script', '<\\/script');
  const title = escapeHtml(runs.map((r) => r.run.info.name).join(' and '));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; script-src '${hashOf(code)}'">
<meta name="color-scheme" content="light dark">
<title>${title} · Kernelscope</title>
<style>${styles}</style>
</head>
<body class="report">
<div id="dashboard"><p>This report draws its charts with a script inside the page; it needs no network.</p></div>
<script type="application/json" id="runs">${data}</script>
<script>${code}</script>
</body>
</html>
`;
}
