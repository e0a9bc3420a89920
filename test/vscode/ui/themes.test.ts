import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dashboard,
  exampleFiles,
  keepSightOfFailures,
  lens,
  openFile,
  openSidePanel,
  openWorkbench,
  pageWith,
  screenshot,
  seriousViolations,
  themes,
  type Workbench,
  wear,
} from './workbench.js';

/** The class that VS Code gives to the body of a webview. */
const bodies = {
  dark: 'vscode-dark',
  light: 'vscode-light',
  'high-contrast': 'vscode-high-contrast',
  'high-contrast-light': 'vscode-high-contrast-light',
} as const;

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
  keepSightOfFailures(() => bench);

  it.each(Object.keys(themes) as (keyof typeof themes)[])(
    '%s: nothing overflows at 1400 and at 320 pixels, everybody can read it',
    async (name) => {
      const { page } = bench;
      await wear(page, themes[name]);
      const frame = await pageWith(page, `body.${bodies[name]} #card-loss`);
      await screenshot(page, `dashboard-${name}-1400`);
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
      await screenshot(page, `dashboard-${name}-320`);
      await page.setViewportSize({ width: 1400, height: 900 });
      expect(bench.troubles()).toEqual([]);
    },
  );
});
