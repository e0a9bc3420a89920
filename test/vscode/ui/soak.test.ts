import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { CDPSession, Frame, Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { dashboard, exampleFiles, lens, openFile, openWorkbench, pageWith } from './workbench.js';

// By name, in minutes: KERNELSCOPE_SOAK=30 npx vitest run --config test/vitest.config.ts --project ui test/vscode/ui/soak.test.ts
const minutes = Number(process.env['KERNELSCOPE_SOAK'] ?? 0);

interface Sample {
  readonly minute: number;
  /** MiB: what scripts of the panel's process hold after a collection, and what the processes hold of the memory. */
  readonly panel: number;
  readonly host: number;
  readonly trainer: number;
}

describe.runIf(minutes > 0)('soak', () => {
  it('keeps panel and host at one size while a run streams', {
    timeout: (minutes + 5) * 60_000,
  }, async () => {
    const text = exampleFiles(['two-layer.ts'])
      ['two-layer.ts'].replace('steps: 500', 'steps: 100_000_000, measure: { metricsEvery: 1 }')
      .replace('width: 1024', 'width: 256');
    const bench = await openWorkbench({ files: { 'long.ts': text } });
    try {
      const { page, workspace } = bench;
      await openFile(page, 'long.ts');
      await lens(page, 'Train').waitFor();
      await lens(page, 'Train').click();
      await dashboard(page).locator('.badge', { hasText: 'running' }).waitFor();
      const session = await sessionOf(page, await pageWith(page, '#card-loss'));
      const samples: Sample[] = [];
      const start = Date.now();
      while (Date.now() - start < minutes * 60_000) {
        await page.waitForTimeout(Math.min(30_000, (minutes * 60_000) / 20));
        const processes = processesIn(workspace);
        const sample = { minute: (Date.now() - start) / 60_000, panel: await heap(session), ...processes };
        samples.push(sample);
        const { minute, panel, host, trainer } = sample;
        console.log(
          `${minute.toFixed(1)} min: panel ${panel.toFixed(1)} MiB, host ${host.toFixed(0)}, trainer ${trainer.toFixed(0)}, step ${await stepShown(page)}`,
        );
      }
      for (const name of ['panel', 'host', 'trainer'] as const)
        console.log(`${name}, last quarter over second: ${growth(samples, name).toFixed(3)}`);
      expect(await stepShown(page), 'the run went on').toBeGreaterThan(1000 * minutes);
      expect(growth(samples, 'panel')).toBeLessThan(1.25);
      expect(growth(samples, 'host')).toBeLessThan(1.25);
      expect(growth(samples, 'trainer')).toBeLessThan(1.25);
      expect(bench.troubles()).toEqual([]);
    } finally {
      await bench.close();
    }
  });
});

/** The step that the panel stands at, from its own words. */
const stepShown = async (page: Page): Promise<number> =>
  Number(((await dashboard(page).locator('.timeline output').textContent()) ?? '').replace(/\D/g, ''));

/** The panel's frame may live in a process of its own. */
async function sessionOf(page: Page, frame: Frame): Promise<CDPSession> {
  const context = page.context();
  const session = await context.newCDPSession(frame).catch(() => context.newCDPSession(page));
  await session.send('Performance.enable');
  return session;
}

async function heap(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  return (metrics.find((m) => m.name === 'JSHeapUsedSize')?.value ?? Number.NaN) / 2 ** 20;
}

/** Memory of the trainer of the newest run and of the extension host, which started it. */
function processesIn(workspace: string): { readonly host: number; readonly trainer: number } {
  const place = path.join(workspace, '.kernelscope', 'runs');
  const run = path.join(place, readdirSync(place).sort().at(-1) ?? '', 'run.json');
  const { pid } = JSON.parse(readFileSync(run, 'utf8')) as { pid: number };
  const ask = (what: string, process: number) =>
    Number(execFileSync('ps', ['-o', `${what}=`, '-p', String(process)], { encoding: 'utf8' }));
  return { host: ask('rss', ask('ppid', pid)) / 1024, trainer: ask('rss', pid) / 1024 };
}

/** Mean of the last quarter over that of the second: the first is spent on filling what is bounded. */
function growth(samples: readonly Sample[], name: 'panel' | 'host' | 'trainer'): number {
  const quarter = Math.max(1, Math.floor(samples.length / 4));
  const mean = (part: readonly Sample[]) => part.reduce((sum, s) => sum + s[name], 0) / part.length;
  return mean(samples.slice(-quarter)) / mean(samples.slice(quarter, 2 * quarter));
}
