import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBundle, readSaid } from '../../../.ci/l10n.mjs';
import {
  dashboard,
  exampleFiles,
  keepSightOfFailures,
  lens,
  openFile,
  openWorkbench,
  row,
  screenshot,
  type Workbench,
} from './workbench.js';

const said = readBundle('zh-cn');
const below = readSaid('zh-cn');
/** Up to the first value. */
const startOf = (template: string): string => below[template].split('{')[0];

const wrong = `import { defineExperiment, digits, twoLayer } from 'kernelscope';

export default defineExperiment({
  model: twoLayer({ width: -3 }),
  data: digits(),
});
`;

describe('a window in Chinese', () => {
  let bench: Workbench;
  beforeAll(async () => {
    const files = { ...exampleFiles(['two-layer.ts']), 'wrong.ts': wrong };
    bench = await openWorkbench({ files, locale: 'zh-cn' });
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
    // The trainer says and records its reasons in English.
    await frame.locator('.reasons').scrollIntoViewIfNeeded();
    await frame.locator('.reasons li').first().waitFor();
    await screenshot(page, 'chinese-regime');
    const reasons = await frame.locator('.reasons li').allTextContents();
    expect(reasons.length).toBeGreaterThan(1);
    expect(reasons.join('\n')).toContain(
      startOf('Network and linearisation have parted by at most {0}; {1}.'),
    );
    expect(reasons.filter((reason) => /\b(the|kernel|network|lazy)\b/i.test(reason))).toEqual([]);
    expect(bench.troubles()).toEqual([]);
  });

  it('says in Chinese what a file gets wrong, and what theory claims', async () => {
    const { page } = bench;
    await openFile(page, 'wrong.ts');
    await page.getByRole('treeitem', { name: 'model.width 为 -3' }).first().waitFor({ timeout: 60_000 });
    await page.keyboard.press('Control+Shift+M');
    await page
      .locator('.markers-panel', { hasText: below['must be at least {0}'].replace('{0}', '1') })
      .waitFor();
    await screenshot(page, 'chinese-problem');
    await page.locator('.pane-header', { hasText: said['Claims'] }).click();
    for (const other of ['运行', '光标处的模型'])
      await page.locator('.pane-header', { hasText: other }).first().click();
    await row(page, new RegExp(`^${said['Neural tangent kernel']}`)).waitFor({ timeout: 60_000 });
    const claim = row(page, below['Every eigenmode is learned at its own rate']);
    await claim.waitFor();
    await screenshot(page, 'chinese-claims');
    expect(bench.troubles()).toEqual([]);
  });
});
