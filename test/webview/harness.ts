import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Random } from '../../src/core/random.js';
import type { RunStarted, Snapshot } from '../../src/protocol/records.js';
import type { MetricsFrame } from '../../src/protocol/trainerWire.js';
import type { ThemeSheet } from '../helpers/themes.js';

const dist = path.join(__dirname, '..', '..', 'dist', 'webview');

/** The dashboard page under a stand-in for the editor: same content security policy, recorded messages. */
export async function openDashboard(
  browser: Browser,
  theme: ThemeSheet,
  width: number,
  height = 1000,
): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height } });
  const variables = Object.entries(theme.variables)
    .map(([name, value]) => `${name}: ${value};`)
    .join(' ');
  const script = readFileSync(path.join(dist, 'dashboard.js'), 'utf8').replaceAll('</script', '<\\/script');
  await page.setContent(`<!doctype html><html lang="en" style="${variables}"><head><title>Dashboard</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-abc'; img-src data: blob:">
<style>${readFileSync(path.join(dist, 'styles.css'), 'utf8')}</style></head>
<body class="${theme.bodyClass}" data-vscode-theme-kind="${theme.bodyClass}"><script nonce="abc">
window.sent = []; window.violations = [];
document.addEventListener('securitypolicyviolation', (e) => window.violations.push(e.violatedDirective + ' ' + e.blockedURI));
window.acquireVsCodeApi = () => ({ postMessage: (m) => window.sent.push(m), getState: () => window.state, setState: (s) => { window.state = s; } });
</script><script nonce="abc">${script}</script></body></html>`);
  await post(page, {
    type: 'hello',
    version: 1,
    settings: { reducedMotion: false, logLoss: true },
    strings: {},
  });
  return page;
}

/** Sends one message of the wire; typed arrays survive the trip as `{ $: kind, v: values }`. */
export async function post(page: Page, message: unknown): Promise<void> {
  const text = JSON.stringify(message, (_key, value) =>
    value instanceof Float64Array || value instanceof Float32Array
      ? { $: value.constructor.name, v: Array.from(value, (x) => (Number.isNaN(x) ? null : x)) }
      : value,
  );
  await page.evaluate((json) => {
    const revive = (_key: string, value: { $?: string; v?: (number | null)[] }) => {
      if (!value?.$ || !value.v) return value;
      const data = value.v.map((x) => x ?? Number.NaN);
      return value.$ === 'Float32Array' ? Float32Array.from(data) : Float64Array.from(data);
    };
    window.dispatchEvent(new MessageEvent('message', { data: JSON.parse(json, revive) }));
  }, text);
  await settled(page);
}

/** Resolves once what was asked of the page is on the screen; on a slow machine its cards take several frames. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const look = () =>
          requestAnimationFrame(() =>
            requestAnimationFrame(() => (document.querySelector('[data-behind]') ? look() : resolve())),
          );
        look();
      }),
  );
}

export const runInfo = (name = 'two-layer'): RunStarted => ({
  run: name,
  folder: '/runs/1',
  name,
  source: { file: '/model.ts', exportName: 'default' },
  definition: {},
  backend: { name: 'wasm', why: 'No native backend was found.' },
  steps: 2000,
  learningRate: 0.37,
  parameters: 813_056,
  layers: ['hidden', 'readout'],
  probe: { size: 32, outputs: 1, labels: Array.from({ length: 32 }, (_, i) => i % 2) },
  outputs: 1,
  train: 512,
  test: 512,
  seed: 1,
  startedAt: '2026-01-01T00:00:00Z',
});

/** A run that behaves like gradient descent on a fixed spectrum: `rows` metrics rows and eight kernel measurements. */
export function syntheticRun(rows: number): { metrics: MetricsFrame; snapshots: Snapshot[] } {
  const P = 32;
  const random = new Random(7);
  const lambda = Float64Array.from({ length: P }, (_, k) => 40 / (k + 1) ** 1.6);
  const residual0 = Float64Array.from({ length: P }, (_, k) => random.normal() / Math.sqrt(k + 1));
  const at = (step: number) =>
    Float64Array.from(residual0, (r, k) => r * Math.exp((-lambda[k] * step) / 300));
  const loss = (step: number) => at(step).reduce((sum, r) => sum + r * r, 0) / (2 * P);
  const step = Float64Array.from({ length: rows }, (_, i) => (i * 2000) / Math.max(1, rows - 1));
  const column = (f: (step: number, i: number) => number) => Float64Array.from(step, f);
  const metrics: MetricsFrame = {
    step,
    time: column((s) => s * 0.37),
    columns: {
      loss: column((s) => loss(s)),
      testLoss: column((s) => loss(s) + 0.002 + 0.0005 * random.normal() ** 2),
      predictedLoss: column((s) => loss(s * 1.02)),
      accuracy: column((s) => 1 - 0.5 * Math.exp(-s / 200)),
      drift: column((s) => 0.04 * (1 - Math.exp(-s / 400))),
      cost: column((s) => 1 - 0.2 * (1 - Math.exp(-s / 500))),
      sharpness: column((s) => 4 + 1.4 * (1 - Math.exp(-s / 300))),
      stepBound: column(() => 5.4),
      'movement.hidden': column((s) => 0.06 * (1 - Math.exp(-s / 300))),
      'movement.readout': column((s) => 0.09 * (1 - Math.exp(-s / 350))),
    },
  };
  const snapshots: Snapshot[] = [];
  for (const s of [0, 1, 4, 16, 64, 256, 1024, 2000]) {
    const common = { kind: 'snapshot' as const, step: s, time: s * 0.37 };
    const grow = 1 + 0.04 * (1 - Math.exp(-s / 400));
    snapshots.push(
      { ...common, name: 'eigenvalues', shape: [P], data: lambda.map((l) => l * grow), noiseFloor: 4e-5 },
      { ...common, name: 'residual', shape: [P], data: at(s) },
      { ...common, name: 'predictedResidual', shape: [P], data: at(s * 1.02) },
      { ...common, name: 'neuronMovement', shape: [256], data: random.normals(256, 0.02).map(Math.abs) },
      {
        ...common,
        name: 'kernel',
        shape: [P, P],
        data: Float32Array.from({ length: P * P }, (_, i) => {
          const [a, b] = [Math.floor(i / P), i % P];
          return (a % 2 === b % 2 ? 1 : 0.4) + (a === b ? 0.8 : 0.01 * ((a * b) % 7));
        }),
      },
      { ...common, name: 'particles', shape: [256, 3], data: Float32Array.from(random.normals(768)) },
      { ...common, name: 'energy', shape: [P], data: lambda.map((l) => l / 80) },
      {
        ...common,
        name: 'eigenvectors',
        shape: [4, P],
        data: Float64Array.from({ length: 4 * P }, (_, i) =>
          Math.sin(((i % P) * (1 + Math.floor(i / P))) / 5),
        ),
      },
      { ...common, name: 'probeOutputs', shape: [P, 1], data: Float32Array.from(at(s)) },
    );
  }
  return { metrics, snapshots };
}
