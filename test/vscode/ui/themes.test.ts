import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dashboard,
  exampleFiles,
  lens,
  openFile,
  openSidePanel,
  openWorkbench,
  pageWith,
  screenshot,
  seriousViolations,
  type Workbench,
} from './workbench.js';

/** Themes by the name of their screenshots, with the class that VS Code gives to the body of a webview. */
const themes = [
  ['dark-modern', 'Default Dark Modern', 'vscode-dark'],
  ['light-modern', 'Default Light Modern', 'vscode-light'],
  ['high-contrast', 'Default High Contrast', 'vscode-high-contrast'],
  ['high-contrast-light', 'Default High Contrast Light', 'vscode-high-contrast-light'],
] as const;

describe('the dashboard in every theme', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({ files: exampleFiles(['two-layer.ts']) });
    const { page } = bench;
    await openFile(page, 'two-layer.ts');
    await lens(page, 'Train').waitFor({ timeout: 60_000 });
    await openSidePanel(page);
    await lens(page, 'Train').click();
    await dashboard(page).locator('.badge', { hasText: 'finished' }).waitFor({ timeout: 120_000 });
  });
  afterAll(() => bench?.close());

  it.each(themes)(
    '%s: nothing overflows at 1400 and at 320 pixels, everybody can read it',
    async (name, theme, bodyClass) => {
      const { page } = bench;
      bench.configure({ 'workbench.colorTheme': theme });
      await page.reload();
      const frame = await pageWith(page, `body.${bodyClass} #card-loss`);
      await screenshot(page, `${name}-1400`);
      expect(await seriousViolations(frame)).toEqual([]);
      await page.setViewportSize({ width: 760, height: 900 });
      await expect.poll(() => frame.evaluate(() => document.body.clientWidth)).toBeLessThan(420);
      expect(
        await frame.evaluate(() => document.documentElement.scrollWidth - window.innerWidth),
      ).toBeLessThanOrEqual(0);
      // Charts follow the new width in the next frames.
      await frame.evaluate(
        () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
      );
      await screenshot(page, `${name}-320`);
      await page.setViewportSize({ width: 1400, height: 900 });
      expect(bench.troubles()).toEqual([]);
    },
  );
});
