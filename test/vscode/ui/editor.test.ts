import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  command,
  exampleFiles,
  keepSightOfFailures,
  openFile,
  openWorkbench,
  screenshot,
  themes,
  type Workbench,
  wear,
} from './workbench.js';

const builder = `import * as tf from '@tensorflow/tfjs';

export function createModel(): tf.LayersModel {
  return tf.sequential({
    layers: [
      tf.layers.dense({ inputShape: [64], units: 128, activation: 'relu' }),
      tf.layers.dense({ units: 64, activation: 'relu' }),
      tf.layers.dense({ units: 10 }),
    ],
  });
}
`;

describe('beside the code', () => {
  let bench: Workbench;
  beforeAll(async () => {
    const files = exampleFiles(['two-layer.ts']);
    bench = await openWorkbench({
      files: {
        'two-layer.ts': files['two-layer.ts'],
        'too-large.ts': files['two-layer.ts'].replace("'auto'", '40'),
        'builder.ts': builder,
      },
      settings: { 'kernelscope.backend': 'wasm' },
    });
    await bench.page.locator('.activitybar .action-label[aria-label="Kernelscope"]').click();
  });
  afterAll(() => bench?.close());
  keepSightOfFailures(() => bench);

  /** Rests the mouse on a word of the editor; resolves once the hover is there. */
  async function hover(word: string) {
    const { page } = bench;
    const hovers = page.locator('.monaco-hover:not(.hidden) .hover-contents');
    await page.keyboard.press('Escape');
    await page.mouse.move(5, 5);
    await page
      .locator('.view-line span', { hasText: new RegExp(`^\\s*${word}$`) })
      .last()
      .hover();
    await hovers.first().waitFor({ timeout: 30_000 });
    return hovers;
  }

  it('shows what theory says of the model under the cursor, with a sentence for each number', async () => {
    const { page } = bench;
    await openFile(page, 'two-layer.ts');
    const step = page.getByRole('treeitem', { name: /^Largest stable step, [\d.]+/ });
    await step.waitFor({ timeout: 90_000 });
    for (const name of ['Parameters', 'Kernel spectrum'])
      await page.getByRole('treeitem', { name: new RegExp(`^${name}, `) }).waitFor();
    await screenshot(page, 'side-panel');
    await step.hover();
    await step.locator('.action-label.codicon-question').click();
    await page.locator('.tab', { hasText: 'numbers.md' }).waitFor({ timeout: 30_000 });
    await screenshot(page, 'explanation');
    await page.keyboard.press('Control+W');
  });

  it.each(Object.entries(themes))('draws hovers that can be read, %s', async (name, theme) => {
    const { page } = bench;
    await wear(page, theme);
    await openFile(page, 'two-layer.ts');
    // Its hint is there once the model has been looked at.
    await page
      .locator('.view-line span', { hasText: /kernel:/ })
      .first()
      .waitFor({ timeout: 60_000 });
    await hover('twoLayer');
    const images = page.locator('.monaco-hover:not(.hidden) img');
    await images.first().waitFor();
    const sizes = await images.evaluateAll((all) => all.map((i) => (i as HTMLImageElement).naturalWidth));
    expect(sizes.length).toBeGreaterThanOrEqual(2);
    for (const size of sizes) expect(size).toBeGreaterThan(100);
    // It fades in.
    await page.waitForTimeout(400);
    await screenshot(page, `hover-${name}`);
  });

  it('puts hints behind the layers of a plain builder, and a hover on each', async () => {
    const { page } = bench;
    await wear(page, themes.dark);
    await openFile(page, 'builder.ts');
    const hints = page.locator('.view-line span', { hasText: /kernel\s\d+\s%/ });
    await hints.first().waitFor({ timeout: 60_000 });
    await page.getByRole('treeitem', { name: /^No data yet/ }).waitFor();
    await hover('dense');
    await screenshot(page, 'builder');
  });

  it('underlines a step that is too large, with a link to what it means', async () => {
    const { page } = bench;
    await openFile(page, 'too-large.ts');
    await page.locator('.squiggly-warning').first().waitFor({ timeout: 60_000 });
    await command(page, 'Problems: Focus on Problems View');
    const link = page.locator('.markers-panel a', { hasText: 'step-too-large' }).first();
    await link.waitFor();
    await screenshot(page, 'problem');
    await link.click({ modifiers: ['Control'] });
    await page.locator('.tab', { hasText: 'problems.md' }).waitFor({ timeout: 30_000 });
    await screenshot(page, 'problem-explained');
  });

  it('fits into a narrow window', async () => {
    const { page } = bench;
    await page.setViewportSize({ width: 700, height: 800 });
    await openFile(page, 'two-layer.ts');
    await page.waitForTimeout(800);
    // None of our pages is open here, so that what the console holds is the workbench's own; the lenses must be there.
    await page.locator('.codelens-decoration a', { hasText: 'Train' }).first().waitFor();
    await screenshot(page, 'narrow');
  });
});

describe('an empty workspace', () => {
  it('has views that say what to do, with a button', async () => {
    const bench = await openWorkbench({ files: { 'notes.md': '# Nothing yet\n' } });
    try {
      const { page } = bench;
      await page.locator('.activitybar .action-label[aria-label="Kernelscope"]').click();
      await page.locator('.welcome-view .monaco-button').first().waitFor({ timeout: 60_000 });
      await screenshot(page, 'empty');
      await command(page, 'Kernelscope: First Five Minutes');
      await page.getByText('First five minutes with Kernelscope').first().waitFor();
      await page.waitForTimeout(1000);
      await screenshot(page, 'walkthrough');
    } finally {
      await bench.close();
    }
  });
});
