import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { analyse, type CellResult } from '../../src/cli/sweep/analyse.js';
import { sweepPage } from '../../src/cli/sweep/page.js';
import { RunWriter, runSchemaVersion } from '../../src/runs/index.js';
import { verifyPage } from '../../src/theory/page.js';
import type { Verified } from '../../src/theory/verify.js';
import { launchBrowser } from '../helpers/browser.js';
import { cli } from '../helpers/cli.js';
import { seriousViolations } from './axe.js';
import { runInfo, syntheticRun } from './harness.js';

let browser: Browser;
let folder: string;
beforeAll(async () => {
  browser = await launchBrowser();
  folder = mkdtempSync(path.join(tmpdir(), 'kernelscope-pages-'));
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A run folder with the numbers of the synthetic run. */
function storedRun(name: string): string {
  const place = path.join(folder, name);
  const info = { ...runInfo(name), folder: place };
  const writer = RunWriter.create(place, {
    schemaVersion: runSchemaVersion,
    info,
    status: 'running',
    request: { overrides: {} },
    pid: process.pid,
    source: { sha256: '', gitCommit: null },
    versions: {},
    machine: { platform: 'linux', arch: 'x64', cpu: 'test', cores: 1, memoryGiB: 1 },
  });
  const { metrics, snapshots } = syntheticRun(40);
  for (const [i, step] of metrics.step.entries()) {
    const values = Object.fromEntries(Object.entries(metrics.columns).map(([k, v]) => [k, v[i]]));
    writer.record({
      kind: 'metrics',
      step: Math.round(step),
      time: metrics.time[i],
      values: { ...values, tax: 0.05 },
    });
  }
  for (const snapshot of snapshots) writer.record(snapshot);
  writer.record({ kind: 'regime', step: 2000, regime: 'lazy', score: 0, reasons: ['Drift 4 %.'] });
  writer.end({ status: 'finished', step: 2000 });
  return place;
}

const cells: readonly CellResult[] = [64, 128, 256].flatMap((width) =>
  [1, 2, 3].map((seed) => ({
    id: `${width}-${seed}`,
    values: { 'model.width': width, seed },
    run: `runs/${width}-${seed}`,
    status: 'finished',
    steps: 100,
    seconds: 1,
    regime: 'lazy',
    metrics: {
      loss: 0.1 / width,
      drift: (1 + 0.1 * seed) / Math.sqrt(width),
      movement: 1 / Math.sqrt(width),
    },
  })),
);

/** A sweep of which all cells but the last are over. */
const sweep = (): string => {
  const over = cells.slice(0, -1);
  const running = new Set([cells[cells.length - 1].id]);
  return sweepPage({ title: 'Widths', grid: cells, cells: over, running, ...analyse(over) });
};

const verified: readonly Verified[] = [true, false].map((passed, i) => ({
  claim: {
    id: i === 0 ? 'max-step' : 'loss-bound',
    title: 'The largest stable step',
    theme: [],
    statement: 'Descent is stable up to 2 n / lambda_max.',
    setting: 'Two layers.',
    tolerance: '10 %',
    source: 'Section 3',
    sabotage: 'doubled-step',
    measure: () => Promise.reject(new Error('not measured here')),
  },
  result: {
    id: i === 0 ? 'max-step' : 'loss-bound',
    passed,
    predicted: 1,
    measured: 1.02,
    interval: [0.98, 1.06],
    tolerance: '10 %',
    seed: 1,
    backend: 'wasm',
    seconds: 2,
    note: '',
  },
  figures: [
    {
      title: 'Loss over step size',
      xLabel: 'step size',
      yLabel: 'loss',
      series: [{ label: 'measured', x: [1, 2, 3], y: [3, 2, 1], style: 'dots' }],
    },
  ],
}));

async function opened(
  html: string,
  scheme: 'light' | 'dark',
  width: number,
): Promise<{ page: Page; errors: string[] }> {
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('request', (request) => {
    if (/^https?:/.test(request.url())) errors.push(`asked the network for ${request.url()}`);
  });
  const file = path.join(folder, 'page.html');
  writeFileSync(file, html);
  await page.goto(`file://${file}`);
  return { page, errors };
}

const settings = (['light', 'dark'] as const).flatMap((scheme) =>
  [320, 1400].map((width) => ({ scheme, width })),
);

describe('pages outside the editor', () => {
  it.each(settings)('the sweep page is accessible: $scheme, $width pixels', async ({ scheme, width }) => {
    const { page, errors } = await opened(sweep(), scheme, width);
    expect(await seriousViolations(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.close();
  });

  it.each(settings)(
    'the page of the claims is accessible: $scheme, $width pixels',
    async ({ scheme, width }) => {
      const html = verifyPage(verified, { backend: 'wasm', preset: 'Quick', sabotage: false });
      const { page, errors } = await opened(html, scheme, width);
      expect(await seriousViolations(page)).toEqual([]);
      expect(errors).toEqual([]);
      await page.close();
    },
  );

  it('the report holds all charts, asks the network for nothing and is accessible', async () => {
    const out = path.join(folder, 'report.html');
    const first = storedRun('first');
    const second = storedRun('second');
    const { code } = cli(['report', first, second, '--out', out]);
    expect(code).toBe(0);
    for (const { scheme, width } of settings) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
      const errors: string[] = [];
      page.on('pageerror', (error) => errors.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') errors.push(message.text());
      });
      page.on('request', (request) => {
        if (/^https?:/.test(request.url())) errors.push(`asked the network for ${request.url()}`);
      });
      await page.goto(`file://${out}`);
      await page.waitForFunction(() =>
        document.querySelector('#card-loss .legend')?.textContent?.includes('second'),
      );
      expect(await page.locator('.facts').first().textContent()).toContain('× 1.05');
      expect(await seriousViolations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      expect(errors).toEqual([]);
      await page.close();
    }
  });
});
