import { describe, expect, it } from 'vitest';
import { dashboard, exampleFiles, lens, openFile, openWorkbench, screenshot } from './workbench.js';

const themes = [
  'Default Dark Modern',
  'Default Light Modern',
  'Default High Contrast',
  'Default High Contrast Light',
];

describe.each(themes)('in the theme %s', (theme) => {
  it('looks as it should at 1400 and at 320 pixels', async () => {
    const bench = await openWorkbench({
      theme,
      files: exampleFiles(['two-layer.ts']),
      settings: { 'kernelscope.backend': 'wasm' },
    });
    try {
      const { page } = bench;
      await openFile(page, 'two-layer.ts');
      await page.locator('.activitybar .action-label[aria-label="Kernelscope"]').click();
      await lens(page, 'Train').waitFor({ timeout: 60_000 });
      await lens(page, 'Train').click();
      const frame = dashboard(page);
      await frame.locator('.badge', { hasText: 'finished' }).waitFor({ timeout: 120_000 });
      const name = theme
        .replace(/^Default /, '')
        .replaceAll(' ', '-')
        .toLowerCase();
      await screenshot(page, `${name}-1400`);
      await page.setViewportSize({ width: 760, height: 900 });
      await page.waitForTimeout(600);
      const width = await frame.locator('body').evaluate((body) => body.clientWidth);
      const overflow = await frame.locator('body').evaluate((body) => body.scrollWidth - body.clientWidth);
      expect(width).toBeLessThan(420);
      expect(overflow).toBeLessThanOrEqual(0);
      await screenshot(page, `${name}-320`);
      expect(bench.troubles).toEqual([]);
    } finally {
      await bench.close();
    }
  });
});
