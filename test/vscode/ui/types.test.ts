import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleFiles, openFile, openWorkbench, screenshot, type Workbench } from './workbench.js';

const builder = `import { defineExperiment, digits } from 'kernelscope';

export default defineExperiment({
  model: (tf) =>
    tf.sequential({
      layers: [tf.layers.dense({ inputShape: [64], units: 10 })],
    }),
  data: digits(),
});
`;

const files = {
  'two-layer.ts': exampleFiles(['two-layer.ts'])['two-layer.ts'],
  'misspelt.ts':
    "import { twoLayer } from 'kernelscope';\n\nexport const part = twoLayer({ width: 4, widht: 4 });\n",
  'builder.ts': builder,
};

describe('types of a model file in a fresh workspace', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({
      files,
      settings: { 'editor.inlayHints.enabled': 'off' },
    });
  });
  afterAll(() => bench?.close());

  const errors = () => bench.page.locator('.squiggly-error');

  /** Opens a file with the cursor behind a text of it. */
  async function placeBehind(name: keyof typeof files, text: string): Promise<void> {
    const { page } = bench;
    await openFile(page, name);
    const before = files[name].slice(0, files[name].indexOf(text) + text.length).split('\n');
    await page.keyboard.press('Control+G');
    const box = page.locator('.quick-input-widget .quick-input-box input');
    await box.waitFor();
    await box.fill(`:${before.length}:${before[before.length - 1].length + 1}`);
    await page.keyboard.press('Enter');
    await box.waitFor({ state: 'hidden' });
  }

  const suggestion = (name: string) =>
    bench.page.locator('.suggest-widget.visible .monaco-list-row', { hasText: new RegExp(`^${name}\\b`) });

  /** Asks for completions until TypeScript is ready to give this one. */
  async function suggested(name: string): Promise<void> {
    const { page } = bench;
    for (let attempt = 0; attempt < 20; attempt++) {
      await page.keyboard.press('Control+Space');
      try {
        await suggestion(name).first().waitFor({ timeout: 5000 });
        return;
      } catch {
        await page.keyboard.press('Escape');
      }
    }
    throw new Error(`"${name}" was not offered.`);
  }

  it('underlines what is wrong, and only that', async () => {
    const { page } = bench;
    await openFile(page, 'misspelt.ts');
    await errors().first().waitFor({ timeout: 90_000 });
    expect(await errors().count()).toBe(1);
    await screenshot(page, 'types-misspelt');
    await placeBehind('two-layer.ts', 'twoLayer({');
    await suggested('thetaStart');
    await screenshot(page, 'types-fields');
    await page.keyboard.press('Escape');
    expect(await errors().count()).toBe(0);
  });

  it('offers the layers of TensorFlow.js', async () => {
    const { page } = bench;
    await placeBehind('builder.ts', 'tf.layers.');
    await suggested('alphaDropout');
    await screenshot(page, 'types-layers');
    await page.keyboard.press('Escape');
    expect(await errors().count()).toBe(0);
    for (const name of ['tsconfig.json', 'node_modules', '.kernelscope/types'])
      expect(existsSync(path.join(bench.workspace, name)), name).toBe(false);
    expect(bench.troubles()).toEqual([]);
  });
});
