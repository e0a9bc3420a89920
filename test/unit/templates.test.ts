import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadModelFile } from '../../src/experiment/load.js';
import { resolveExperiment } from '../../src/experiment/resolve.js';
import { scanExports } from '../../src/experiment/scan.js';
import { root } from '../helpers/folders.js';

const folder = path.join(root, 'media', 'templates');
const files = readdirSync(folder).filter((name) => /\.[jt]s$/.test(name));

describe('templates', () => {
  it('hold the experiments of the authors that are plain trainings', () => {
    for (const name of [
      'paper-width',
      'paper-learning-rate',
      'paper-scale',
      'paper-repopulation',
      'particles',
    ])
      expect(files).toContain(`${name}.ts`);
  });

  it.each(files)('%s says what it is for, loads, and has a lens on every export', async (name) => {
    const file = path.join(folder, name);
    const text = readFileSync(file, 'utf8');
    expect(text.startsWith('// ')).toBe(true);
    const exports = (await loadModelFile(file)).filter((e) => e.kind === 'experiment');
    expect(exports.length).toBeGreaterThan(0);
    for (const { name: exportName } of exports)
      expect((await resolveExperiment({ file, exportName, overrides: {} })).definition.steps).toBeGreaterThan(
        0,
      );
    const seen = scanExports(text).map((e) => e.name);
    expect(seen.sort()).toEqual(exports.map((e) => e.name).sort());
  });
});
