import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newestRun } from './runFolders.js';
import {
  dashboard,
  keepSightOfFailures,
  lens,
  openFile,
  openSidePanel,
  openWorkbench,
  root,
  row,
  screenshot,
  type Workbench,
} from './workbench.js';

/** A project that knows nothing of us: CommonJS, a builder, a fit of its own. */
const program = `const tf = require('@tensorflow/tfjs');

function createModel() {
  const model = tf.sequential();
  model.add(tf.layers.dense({ units: 24, activation: 'tanh', inputShape: [6] }));
  model.add(tf.layers.dense({ units: 1 }));
  model.compile({ optimizer: tf.train.sgd(0.05), loss: 'meanSquaredError' });
  return model;
}

async function main() {
  const x = tf.randomNormal([200, 6], 0, 1, 'float32', 1);
  const y = tf.sin(x.sum(1, true));
  const model = createModel();
  await model.fit(x, y, { epochs: 60, batchSize: 20, verbose: 0 });
  console.log('trained');
}

main();
`;

describe('a project of one’s own', () => {
  let bench: Workbench;
  beforeAll(async () => {
    bench = await openWorkbench({
      files: { 'train.js': program, 'package.json': JSON.stringify({ name: 'own', private: true }) },
    });
    const modules = path.join(bench.workspace, 'node_modules');
    mkdirSync(modules);
    symlinkSync(path.join(root, 'node_modules', '@tensorflow'), path.join(modules, '@tensorflow'));
  });
  afterAll(() => bench?.close());
  keepSightOfFailures(() => bench);

  it('is watched from a lens above its fit, with live charts, as it is', async () => {
    const { page } = bench;
    await openFile(page, 'train.js');
    await openSidePanel(page);
    const watch = lens(page, 'Watch');
    await watch.first().waitFor({ timeout: 60_000 });
    await watch.last().click();
    const frame = dashboard(page);
    await frame.locator('#card-loss canvas').first().waitFor({ timeout: 120_000 });
    await frame.locator('.badge', { hasText: 'finished' }).waitFor({ timeout: 120_000 });
    await frame.locator('#card-spectrum canvas').first().scrollIntoViewIfNeeded();
    const { status, rows } = newestRun(bench.workspace);
    expect(status).toBe('finished');
    expect(rows.filter((line) => typeof line.loss === 'number').length).toBeGreaterThan(100);
    await row(page, /train/).waitFor();
    await frame.locator('header.run').scrollIntoViewIfNeeded();
    await screenshot(page, 'watched');
    expect(bench.troubles()).toEqual([]);
  });
});
