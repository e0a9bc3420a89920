import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBundle } from '../../../.ci/l10n.mjs';
import {
  dashboard,
  exampleFiles,
  keepSightOfFailures,
  lens,
  openFile,
  openWorkbench,
  screenshot,
  type Workbench,
} from './workbench.js';

const said = readBundle('zh-cn');

describe('a window in Chinese', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({ files: exampleFiles(['two-layer.ts']), locale: 'zh-cn' });
  });
  afterAll(() => bench?.close());
  keepSightOfFailures(() => bench);

  it('names lenses, views, numbers and commands in Chinese', async () => {
    const { page } = bench;
    await openFile(page, 'two-layer.ts');
    await lens(page, said['Train']).waitFor({ timeout: 60_000 });
    await page.locator('.activitybar .action-label[aria-label="Kernelscope"]').click();
    await page.locator('.pane-header', { hasText: '光标处的模型' }).waitFor();
    await page.getByRole('treeitem', { name: said['Kernel spectrum'] }).first().waitFor({ timeout: 60_000 });
    await page.keyboard.press('F1');
    await page.locator('.quick-input-widget .quick-input-box input').fill('>Kernelscope: 比较');
    await page.locator('.quick-input-list .monaco-list-row', { hasText: '比较运行' }).first().waitFor();
    await page.keyboard.press('Escape');
  });

  it('speaks Chinese in the dashboard too', async () => {
    const { page } = bench;
    await lens(page, said['Train']).click();
    const frame = dashboard(page);
    await frame.locator('h2', { hasText: said['Loss'] }).first().waitFor({ timeout: 60_000 });
    await frame.locator('.badge', { hasText: said['finished'] }).waitFor({ timeout: 120_000 });
    await screenshot(page, 'chinese');
    const english = ['Parameter movement', 'NTK eigenspectrum', 'Regime'];
    const text = (await frame.locator('body').textContent()) ?? '';
    expect(english.filter((title) => text.includes(title))).toEqual([]);
    expect(bench.troubles()).toEqual([]);
  });
});
