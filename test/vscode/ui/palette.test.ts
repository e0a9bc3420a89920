import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runsOf } from './runFolders.js';
import {
  answer,
  chooseFolder,
  command,
  exampleFiles,
  keepSightOfFailures,
  lens,
  openFile,
  openSidePanel,
  openWorkbench,
  pageWith,
  pick,
  row,
  screenshot,
  seriousViolationsWithoutScripts,
  type Workbench,
} from './workbench.js';

/** A small experiment that is over at once, and one that goes on. */
const file = exampleFiles(['small.ts'], 'test/fixtures/models')['small.ts'].replace(
  'steps: 200_000',
  'steps: 1_000_000',
);

describe('the palette and the tree of runs', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({ files: { 'small.ts': file } });
    await openFile(bench.page, 'small.ts');
    await lens(bench.page, 'Train').waitFor({ timeout: 60_000 });
    await openSidePanel(bench.page);
  });
  afterAll(() => bench?.close());
  keepSightOfFailures(() => bench);

  it('runs with other values', async () => {
    const { page } = bench;
    for (const name of ['first', 'second']) {
      await command(page, 'Kernelscope: Run Experiment With');
      await answer(page, `name=${name} seed=7 steps=40`);
      await row(page, new RegExp(`^${name}, finished`)).waitFor({ timeout: 60_000 });
    }
    const [first] = runsOf(bench.workspace);
    expect(first.rows.at(-1)?.step).toBe(40);
  });

  it('compares runs that are dropped on one another', async () => {
    const { page } = bench;
    await row(page, /^second, finished/).dragTo(row(page, /^first, finished/));
    await page.locator('.tab', { hasText: 'first and second' }).waitFor();
    await pageWith(page, '#card-loss canvas');
    await screenshot(page, 'compared');
  });

  it('pins, renames, filters', async () => {
    const { page } = bench;
    await command(page, 'Kernelscope: Pin or Unpin Run');
    await pick(page, 'first');
    await row(page, /^first, finished, pinned/).waitFor();
    await command(page, 'Kernelscope: Rename Run');
    await pick(page, 'second');
    await answer(page, 'Narrow');
    await row(page, /^Narrow, finished/).waitFor();
    await command(page, 'Kernelscope: Filter Runs');
    await answer(page, 'narrow');
    await row(page, /^first, finished/).waitFor({ state: 'detached' });
    await screenshot(page, 'filtered');
    await command(page, 'Kernelscope: Show All Runs');
    await row(page, /^first, finished/).waitFor();
  });

  it('exports, deletes, imports, opens the folder', async () => {
    const { page, workspace } = bench;
    await command(page, 'Kernelscope: Export Run');
    await pick(page, 'Narrow');
    await pick(page, 'csv');
    // The dialog proposes a file in the workspace.
    const box = page.locator('.quick-input-widget .quick-input-box input');
    await expect.poll(() => box.inputValue().catch(() => '')).toMatch(/\.csv$/);
    await page.keyboard.press('Enter');
    const exported = () => readdirSync(workspace).find((name) => name.endsWith('.csv'));
    await expect.poll(exported).toBeDefined();
    expect(readFileSync(path.join(workspace, exported() ?? ''), 'utf8')).toMatch(/^step,time,loss/);
    const run = runsOf(workspace)[1];
    const kept = path.join(workspace, '..', 'kept');
    cpSync(run.folder, kept, { recursive: true });
    await command(page, 'Kernelscope: Delete Run');
    await pick(page, 'Narrow');
    await page.locator('.monaco-dialog-box').getByRole('button', { name: 'Delete' }).click();
    await row(page, /^Narrow, finished/).waitFor({ state: 'detached' });
    expect(existsSync(run.folder)).toBe(false);
    await command(page, 'Kernelscope: Import Run');
    await chooseFolder(page, kept);
    await row(page, /^Narrow, finished/).waitFor();
    await command(page, 'Kernelscope: Open Run Folder');
    await pick(page, 'Narrow');
    await page.locator('.tab', { hasText: 'run.json' }).waitFor();
    // The folder is shown in the explorer.
    await openSidePanel(page);
  });

  it('forks a run whose file was changed: the same random numbers, both in one chart', async () => {
    const { page, workspace } = bench;
    await openFile(page, 'small.ts');
    await command(page, 'Kernelscope: Run Experiment With');
    await answer(page, 'name=before steps=1000000');
    await row(page, /^before, running/).waitFor({ timeout: 60_000 });
    await command(page, 'Kernelscope: Fork Running Experiment');
    const unchanged = page.locator('.notification-toast', { hasText: /has not changed/ });
    await unchanged.waitFor();
    await unchanged.locator('.action-label.codicon-notifications-clear').click();
    writeFileSync(path.join(workspace, 'small.ts'), file.replace('width: 64', 'width: 32'));
    await command(page, 'Kernelscope: Fork Running Experiment');
    await page.locator('.tab', { hasText: 'before and before, forked' }).waitFor({ timeout: 60_000 });
    await pageWith(page, '#card-loss canvas');
    await screenshot(page, 'forked');
    for (const name of ['before', 'before, forked']) {
      await command(page, 'Kernelscope: Stop Run');
      const several = page.locator('.quick-input-list .monaco-list-row', { hasText: name });
      if (name === 'before') await several.first().click();
      await row(page, new RegExp(`^${name}, (?!running)`)).waitFor();
    }
    const infoOf = (folder: string) =>
      (
        JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')) as {
          info: { seed: number; name: string };
        }
      ).info;
    // An imported run has an id of its own, whose place among the others says nothing.
    const pair = runsOf(workspace)
      .map((run) => infoOf(run.folder))
      .filter(({ name }) => name.startsWith('before'));
    expect(pair.map(({ name }) => name)).toEqual(['before', 'before, forked']);
    expect(pair[0].seed).toBe(pair[1].seed);
  });

  it('puts a sweep together with its cost in sight, draws it as it goes, and lists its cells', async () => {
    const { page } = bench;
    writeFileSync(path.join(bench.workspace, 'small.ts'), file);
    await page.locator('.tab', { hasText: 'small.ts' }).first().click();
    await command(page, 'Kernelscope: Sweep…');
    const cost = page.locator('.quick-input-list .monaco-list-row', { hasText: /12 runs, about/ });
    await cost.waitFor();
    await pick(page, 'model.width');
    await answer(page, '16,32,64');
    await pick(page, /^seed/);
    await answer(page, '0..1');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: /6 runs, about/ }).waitFor();
    await screenshot(page, 'sweep-grid');
    await pick(page, 'Start the sweep');
    await pageWith(page, 'progress');
    await screenshot(page, 'sweep-running');
    await row(page, /Sweep of model\.width × seed/).waitFor({ timeout: 60_000 });
    await expect
      .poll(async () => (await (await pageWith(page, 'progress')).textContent('main')) ?? '', {
        timeout: 150_000,
      })
      .toMatch(/All 6 runs are done/);
    expect(await seriousViolationsWithoutScripts(page, 'svg polygon')).toEqual([]);
    await page.getByRole('treeitem', { name: /6 of 6 done/ }).waitFor();
    await row(page, /^width=16,seed=0, finished/).waitFor();
    await screenshot(page, 'sweep-done');
  });

  it('breaks no policy and leaves no rejection unhandled', () => {
    expect(bench.troubles()).toEqual([]);
  });
});
