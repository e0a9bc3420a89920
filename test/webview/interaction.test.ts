import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../helpers/browser.js';
import { themes } from '../helpers/themes.js';
import { openDashboard, post, runInfo, settled, syntheticRun } from './harness.js';

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());

const send = (page: Page, name: string, status = 'finished') =>
  post(page, { type: 'snapshot', run: { info: runInfo(name), status }, ...syntheticRun(400), events: [] });

async function shown(names: readonly string[] = ['two-layer'], reducedMotion = false): Promise<Page> {
  const page = await openDashboard(browser, themes[1], 1200);
  if (reducedMotion) await page.emulateMedia({ reducedMotion: 'reduce' });
  for (const name of names) await send(page, name);
  return page;
}
const sent = async (page: Page) =>
  (await page.evaluate('window.sent')) as { type: string; name?: string; run?: string; text?: string }[];
const stepShown = async (page: Page) => Number(await page.getByRole('slider').getAttribute('aria-valuenow'));

describe('the time of the dashboard', () => {
  it('goes where a chart over the steps is clicked, and every card follows', async () => {
    const page = await shown();
    const box = await page.locator('#card-loss canvas').boundingBox();
    if (!box) throw new Error('no chart');
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await settled(page);
    const step = await stepShown(page);
    expect(step).toBeGreaterThan(700);
    expect(step).toBeLessThan(1200);
    const kernel = page.locator('#card-spectrum .summary');
    expect(await kernel.textContent()).toContain(`At step ${step >= 1024 ? 1024 : 256}:`);
    await page.getByRole('button', { name: 'Live' }).click();
    await expect.poll(() => stepShown(page)).toBe(2000);
    await page.close();
  });

  it('is read with the arrow keys of a chart, aloud', async () => {
    const page = await shown();
    await page.locator('#card-loss canvas').focus();
    await page.keyboard.press('Home');
    await settled(page);
    expect(await stepShown(page)).toBe(0);
    await page.keyboard.press('ArrowRight');
    await settled(page);
    expect(await stepShown(page)).toBeGreaterThan(0);
    const told = await page.locator('#card-loss [aria-live]').textContent();
    expect(told).toMatch(/^step .*train .*test /);
    await page.close();
  });

  it('zooms all charts over the steps together by brush and keyboard, and goes back', async () => {
    const page = await shown();
    const reset = page.getByRole('button', { name: 'Whole run' });
    expect(await reset.isVisible()).toBe(false);
    const before = await page.locator('#card-movement canvas:not([hidden])').screenshot();
    const box = await page.locator('#card-loss canvas').boundingBox();
    if (!box) throw new Error('no chart');
    await page.mouse.move(box.x + 0.4 * box.width, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.7 * box.width, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await settled(page);
    expect(await reset.isVisible()).toBe(true);
    const zoomed = await page.locator('#card-movement canvas:not([hidden])').screenshot();
    expect(zoomed.equals(before)).toBe(false);
    await page.locator('#card-loss canvas').press('0');
    await settled(page);
    expect(await reset.isVisible()).toBe(false);
    await page.close();
  });

  it('plays the run to its end; with reduced motion from measurement to measurement', async () => {
    const page = await shown(['two-layer'], true);
    await page.getByRole('slider').focus();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: 'Play the run' }).click();
    const seen = new Set<number>();
    while (!seen.has(2000)) {
      seen.add(await stepShown(page));
      await page.waitForTimeout(40);
    }
    const measured = [0, 1, 4, 16, 64, 256, 1024, 2000];
    expect([...seen].every((step) => measured.includes(step))).toBe(true);
    expect(seen.size).toBeGreaterThan(2);
    await page.close();
  });

  it('reaches everything by Tab, in reading order, with a focus that is seen', async () => {
    const page = await shown();
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    const order: string[] = [];
    for (let i = 0; i < 26; i++) {
      await page.keyboard.press('Tab');
      order.push(
        await page.evaluate(() => {
          const node = document.activeElement;
          if (!node || node === document.body) return '';
          const outlined = [node, node.closest('vscode-button, vscode-dropdown')].some(
            (e) => e && getComputedStyle(e).outlineStyle !== 'none',
          );
          const inner = node.shadowRoot?.activeElement;
          const ring = inner
            ? getComputedStyle(inner).outlineStyle !== 'none' ||
              getComputedStyle(inner).borderStyle !== 'none'
            : false;
          const card = node.closest('.card')?.id ?? node.closest('header, .timeline')?.className ?? '';
          return `${card}|${outlined || ring}`;
        }),
      );
    }
    const places = order.filter(Boolean).map((text) => text.split('|')[0]);
    const first = (id: string) => places.indexOf(id);
    expect(first('run')).toBeGreaterThanOrEqual(0);
    expect(first('run')).toBeLessThan(first('timeline'));
    expect(first('timeline')).toBeLessThan(first('card-loss'));
    expect(first('card-loss')).toBeLessThan(first('card-spectrum'));
    expect(order.filter(Boolean).map((text) => text.split('|')[1])).not.toContain('false');
    await page.close();
  });
});

describe('runs laid over each other', () => {
  it('are named and coloured, differ on demand, change places and go', async () => {
    const page = await shown(['first', 'second']);
    const legend = page.locator('#card-loss .legend');
    expect(await legend.textContent()).toContain('first · train');
    expect(await legend.textContent()).toContain('second · train');
    await page.getByRole('button', { name: 'difference' }).click();
    await settled(page);
    expect(await legend.textContent()).not.toContain('first · train');
    expect(await legend.textContent()).toContain('second · train');
    await page.getByRole('button', { name: 'Compare with “second”' }).click();
    await settled(page);
    expect(await page.locator('h1').textContent()).toBe('second');
    await page.getByRole('button', { name: 'Take “first” out of the comparison' }).click();
    await settled(page);
    expect(await sent(page)).toContainEqual({ type: 'hide', run: 'first' });
    expect(await page.locator('.runs').isVisible()).toBe(false);
    await page.close();
  });

  it('can be asked for', async () => {
    const page = await shown();
    await page.getByRole('button', { name: 'Compare' }).first().click();
    expect(await sent(page)).toContainEqual({ type: 'command', name: 'compare', run: 'two-layer' });
    await page.close();
  });
});

describe('what a card hands out', () => {
  const handedOut = (page: Page, name: string) =>
    page.evaluate(async (wanted) => {
      const all = (window as unknown as { sent: { type: string; name?: string; data?: ArrayBuffer }[] }).sent;
      for (let i = 0; i < 100; i++) {
        const found = all.find((m) => m.type === 'export' && m.name === wanted);
        if (found?.data) return Array.from(new Uint8Array(found.data));
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return [];
    }, name);

  it.each(['loss', 'spectrum', 'regime', 'kernel', 'particles', 'paths'])(
    'is a picture and a table: %s',
    async (id) => {
      const page = await openDashboard(browser, themes[0], 1200);
      const regime = { kind: 'regime', step: 2000, regime: 'lazy', score: -0.2, reasons: ['Drift 4 %.'] };
      await post(page, {
        type: 'snapshot',
        run: { info: runInfo(), status: 'finished' },
        ...syntheticRun(50),
        events: [regime],
      });
      const card = page.locator(`#card-${id}`);
      await card.scrollIntoViewIfNeeded();
      await page.waitForFunction((c) => document.querySelector(`#card-${c} .subtitle`)?.textContent, id);
      for (const kind of ['SVG', 'PNG', 'CSV']) {
        await card.locator('summary').click();
        await card.getByRole('button', { name: kind, exact: true }).click();
      }
      const svg = Buffer.from(await handedOut(page, `${id}.svg`)).toString('utf8');
      expect(svg).toMatch(/^<svg [\s\S]*<\/svg>$/);
      expect(svg).toContain('two-layer');
      const png = Buffer.from(await handedOut(page, `${id}.png`));
      expect(png.subarray(1, 4).toString('latin1')).toBe('PNG');
      expect(png.length).toBeGreaterThan(2000);
      const csv = Buffer.from(await handedOut(page, `${id}.csv`)).toString('utf8');
      expect(csv.split('\r\n').length).toBeGreaterThan(2);
      expect(await page.evaluate('window.violations')).toEqual([]);
      await page.close();
    },
  );
});
