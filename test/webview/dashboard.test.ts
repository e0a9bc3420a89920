import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../helpers/browser.js';
import { themes } from '../helpers/themes.js';
import { seriousViolations } from './axe.js';
import { openDashboard, post, runInfo, syntheticRun } from './harness.js';

const screenshots = path.join(__dirname, '..', '..', 'out', 'screenshots', 'webview');

let browser: Browser;
beforeAll(async () => {
  mkdirSync(screenshots, { recursive: true });
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const view = (name?: string) => ({ info: runInfo(name), status: 'running' as const });
const regime = {
  kind: 'regime' as const,
  step: 2000,
  regime: 'lazy' as const,
  reasons: ['Kernel drift is 0.04, below 0.1.', 'The twin gap is 0.02.'],
};

async function filled(width: number, theme = themes[1], rows = 400): Promise<Page> {
  const page = await openDashboard(browser, theme, width);
  await post(page, { type: 'snapshot', run: view(), ...syntheticRun(rows), events: [regime] });
  return page;
}

/** Whether a canvas holds pixels of more than one colour. */
const drawn = (page: Page, selector: string) =>
  page.$eval(selector, (node) => {
    const canvas = node as HTMLCanvasElement;
    const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4)
      if (data[i + 3] > 0) seen.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return seen.size > 3;
  });

describe('dashboard', () => {
  it('draws every chart of a run and says the numbers in words', async () => {
    const page = await filled(1400);
    for (const id of ['loss', 'spectrum', 'movement', 'particles', 'modes', 'kernel', 'drift', 'paths']) {
      await page.locator(`#card-${id}`).scrollIntoViewIfNeeded();
      await page.waitForFunction(
        (card) => document.querySelector(`#card-${card} .summary`)?.textContent !== '',
        id,
      );
      expect(await drawn(page, `#card-${id} canvas:not([hidden])`), id).toBe(true);
    }
    expect(await page.locator('#card-loss .summary').textContent()).toMatch(/^Step 2000: training loss/);
    expect(await page.evaluate('window.violations')).toEqual([]);
    await page.close();
  });

  it('says of no card out of sight that something is missing', async () => {
    const page = await filled(320);
    await page.waitForFunction(() => document.querySelector('#card-loss .summary')?.textContent !== '');
    const empty = page.locator('#card-drift .empty');
    expect(await empty.getAttribute('hidden')).not.toBeNull();
    await page.close();
  });

  it('follows frames, acknowledges them and shows the end of the run', async () => {
    const page = await filled(1000);
    const metrics = {
      step: Float64Array.of(2100),
      time: Float64Array.of(777),
      columns: { loss: Float64Array.of(0.125) },
    };
    await post(page, { type: 'frame', run: 'two-layer', seq: 7, metrics, snapshots: [], events: [] });
    expect(await page.locator('.facts').textContent()).toContain('0.125');
    expect(await page.evaluate('window.sent')).toContainEqual({ type: 'ack', run: 'two-layer', seq: 7 });
    const ended = {
      status: 'diverged',
      step: 2100,
      message: 'The loss is not finite at step 2100 with step size 9.',
    };
    await post(page, { type: 'status', run: 'two-layer', status: 'diverged', ended });
    expect(await page.locator('.badge').first().textContent()).toBe('diverged');
    expect(await page.getByRole('alert').filter({ hasText: 'step size 9' }).isVisible()).toBe(true);
    await page.close();
  });

  it('sends the commands of its buttons', async () => {
    const page = await filled(1000);
    await page.getByRole('button', { name: 'Pause' }).click();
    expect(await page.evaluate('window.sent')).toContainEqual({
      type: 'command',
      name: 'pause',
      run: 'two-layer',
    });
    await page.close();
  });

  it('scrubs through the measured kernels with the keyboard', async () => {
    const page = await filled(1000);
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    await page.waitForFunction(() =>
      document.querySelector('#card-spectrum .summary')?.textContent?.startsWith('At step 0:'),
    );
    await page.keyboard.press('End');
    await page.waitForFunction(() =>
      document.querySelector('#card-spectrum .summary')?.textContent?.startsWith('At step 2000:'),
    );
    await page.close();
  });

  it('hands out the data behind a chart', async () => {
    const page = await filled(1000);
    const card = page.locator('#card-loss');
    await card.getByRole('button', { name: /data behind/ }).click();
    expect(await card.locator('tbody tr').count()).toBe(200);
    await card.locator('summary').click();
    await card.getByRole('button', { name: 'Copy as Markdown' }).click();
    const sent = (await page.evaluate('window.sent')) as { type: string; text?: string }[];
    expect(sent.find((m) => m.type === 'copy')?.text).toMatch(
      /^\| step \| loss \| testLoss \| predictedLoss \|/,
    );
    await page.close();
  });

  it.each(themes.flatMap((theme) => [320, 1400].map((width) => ({ theme, width, name: theme.name }))))(
    'has no serious accessibility violation: $name at $width pixels',
    async ({ theme, width }) => {
      const page = await filled(width, theme);
      for (const card of await page.locator('[id^=card-]').all()) await card.scrollIntoViewIfNeeded();
      await page.waitForFunction(() => !document.querySelector('[data-behind]'));
      await page.screenshot({
        path: path.join(screenshots, `dashboard-${theme.name}-${width}.png`),
        fullPage: true,
      });
      expect(await seriousViolations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
      await page.close();
    },
  );
});
