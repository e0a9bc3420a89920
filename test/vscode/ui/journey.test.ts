import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestRun, processesIn } from './runFolders.js';
import {
  command,
  dashboard,
  exampleFiles,
  keepSightOfFailures,
  lens,
  openFile,
  openSidePanel,
  openWorkbench,
  pageWith,
  row,
  screenshot,
  seriousViolations,
  type Workbench,
} from './workbench.js';

/** The template, so long that it goes on for as long as a test needs it. */
const endless = (): string =>
  exampleFiles(['two-layer.ts'])
    ['two-layer.ts'].replace('steps: 500', 'steps: 1_000_000, measure: { metricsEvery: 1 }')
    .replace('Digits, 3 against 8', 'Long run');

describe('the first five minutes', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({
      files: { ...exampleFiles(['two-layer.ts', 'lazy-against-rich.ts']), 'long.ts': endless() },
    });
  });
  afterAll(() => bench?.close());
  keepSightOfFailures(() => bench);

  it('shows lenses, trains from one, and draws the charts beside the code', async () => {
    const { page } = bench;
    await openFile(page, 'two-layer.ts');
    await lens(page, 'Train').waitFor({ timeout: 60_000 });
    await openSidePanel(page);
    if (process.platform === 'linux')
      await expect.poll(() => processesIn(bench.workspace).length, { timeout: 60_000 }).toBe(2);
    // A browser that has just started takes seconds to start the first page of any extension; that is not ours to time.
    await page.waitForTimeout(10_000);
    const clicked = Date.now();
    await lens(page, 'Train').click();
    const frame = dashboard(page);
    await frame.locator('#card-loss canvas').first().waitFor({ timeout: 60_000 });
    await frame.locator('#card-loss .summary', { hasText: /training loss/ }).waitFor({ timeout: 60_000 });
    console.log(`click to first point, cold: ${Date.now() - clicked} ms`);
    await frame.locator('.badge', { hasText: 'finished' }).waitFor({ timeout: 120_000 });
    for (const id of ['loss', 'spectrum', 'movement']) {
      const canvas = frame.locator(`#card-${id} canvas`).first();
      // Charts draw when they come into view.
      await canvas.scrollIntoViewIfNeeded();
      await expect.poll(() => canvas.evaluate(colorsOf), { timeout: 20_000 }).toBeGreaterThan(3);
    }
    const { status, rows } = newestRun(bench.workspace);
    expect(status).toBe('finished');
    const shown = (await frame.locator('#card-loss .summary').textContent()) ?? '';
    const loss = Number(/training loss ([\d.e-]+)/.exec(shown)?.[1]);
    expect(Math.abs(loss - (rows.at(-1)?.loss ?? 0)) / loss).toBeLessThan(1e-3);
    await row(page, /^Digits, 3 against 8, finished/).waitFor();
    await frame.locator('header.run').scrollIntoViewIfNeeded();
    await screenshot(page, 'first-run');
  });

  it('pauses, steps, goes on and stops from the lenses; a warm trainer starts at once', async () => {
    const { page } = bench;
    await openFile(page, 'long.ts');
    await lens(page, 'Train').waitFor({ timeout: 60_000 });
    const clicked = Date.now();
    await lens(page, 'Train').click();
    await lens(page, 'step').waitFor();
    console.log(`click to first step, warm: ${Date.now() - clicked} ms`);
    await lens(page, 'Pause').click();
    await lens(page, 'Resume').waitFor();
    await dashboard(page).locator('.badge', { hasText: 'paused' }).waitFor();
    await screenshot(page, 'paused');
    const before = newestRun(bench.workspace).rows.length;
    await lens(page, /Step$/).click();
    await expect.poll(() => newestRun(bench.workspace).rows.length, { timeout: 20_000 }).toBe(before + 1);
    await lens(page, 'Resume').click();
    await lens(page, 'Stop').waitFor();
    await expect
      .poll(() => newestRun(bench.workspace).rows.length, { timeout: 20_000 })
      .toBeGreaterThan(before + 10);
    await lens(page, 'Stop').click();
    await dashboard(page).locator('.badge', { hasText: 'stopped' }).waitFor();
    expect(newestRun(bench.workspace).status).toBe('stopped');
  });

  it('keeps a run that a reload of the window cut off, and goes on with it', async () => {
    const { page } = bench;
    await openFile(page, 'long.ts');
    await lens(page, 'Train').waitFor();
    await lens(page, 'Train').click();
    await dashboard(page).locator('.badge', { hasText: 'running' }).waitFor({ timeout: 60_000 });
    await expect.poll(() => newestRun(bench.workspace).rows.length, { timeout: 30_000 }).toBeGreaterThan(20);
    const { id } = newestRun(bench.workspace);
    // The window's own way to load again: it writes down which panels are open first.
    await command(page, 'Developer: Reload Window');
    const frame = dashboard(page);
    await pageWith(page, '.badge[data-status=interrupted]', 120_000);
    await frame.locator('#card-loss .summary', { hasText: /training loss/ }).waitFor();
    await screenshot(page, 'after-reload');
    const rows = newestRun(bench.workspace).rows.length;
    await frame.getByRole('button', { name: 'Resume' }).click();
    await frame.locator('.badge', { hasText: 'running' }).waitFor({ timeout: 60_000 });
    await expect
      .poll(() => newestRun(bench.workspace).rows.length, { timeout: 60_000 })
      .toBeGreaterThan(rows);
    expect(newestRun(bench.workspace).id).toBe(id);
    await frame.getByRole('button', { name: 'Stop' }).click();
    await frame.locator('.badge', { hasText: 'stopped' }).waitFor();
  }, 300_000);

  it('is usable by keyboard alone: the palette trains what it is asked for', async () => {
    const { page } = bench;
    await openFile(page, 'lazy-against-rich.ts');
    await command(page, 'Kernelscope: Lazy Against Rich');
    await dashboard(page).locator('h1', { hasText: /α/ }).waitFor({ timeout: 60_000 });
    await row(page, /^α = 1, finished/).waitFor({ timeout: 120_000 });
    await screenshot(page, 'lazy-against-rich');
  });

  it('has no serious accessibility violation, no policy violation, no unhandled rejection', async () => {
    const frame = await pageWith(bench.page, '#card-loss');
    expect(await seriousViolations(frame)).toEqual([]);
    expect(bench.troubles()).toEqual([]);
  });
});

/** Different opaque colours on a canvas: an empty chart has the grid's and the text's alone. */
function colorsOf(node: Element): number {
  const canvas = node as HTMLCanvasElement;
  const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
  const seen = new Set<number>();
  for (let i = 0; i < data.length; i += 4)
    if (data[i + 3] > 200) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
  return seen.size;
}

describe('an untrusted workspace', () => {
  it('runs nothing and says why', async () => {
    const bench = await openWorkbench({
      files: exampleFiles(['two-layer.ts']),
      settings: {
        'security.workspace.trust.enabled': true,
        'security.workspace.trust.startupPrompt': 'never',
      },
    });
    try {
      const { page } = bench;
      await openFile(page, 'two-layer.ts');
      await lens(page, 'Trust this workspace').waitFor({ timeout: 60_000 });
      await openSidePanel(page);
      await page.getByText('This workspace is not trusted', { exact: false }).first().waitFor();
      await screenshot(page, 'untrusted');
      // Where it is trusted, trainers for diagnostics and for the next run are there by now.
      await page.waitForTimeout(4000);
      if (process.platform === 'linux') expect(processesIn(bench.workspace)).toEqual([]);
      expect(bench.troubles()).toEqual([]);
    } finally {
      await bench.close();
    }
  });
});
