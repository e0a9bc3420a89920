import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { resolveExperiment } from '../../src/experiment/index.js';
import { loadModelFile } from '../../src/experiment/load.js';
import { useBackend } from '../../src/network/backends/index.js';
import { inspectModel } from '../../src/trainer/inspect.js';
import { temporaryFolder } from '../helpers/folders.js';

const folder = temporaryFolder();
const place = (name: string) => path.join(folder.path, name);
const write = (name: string, text: string) => {
  mkdirSync(path.dirname(place(name)), { recursive: true });
  writeFileSync(place(name), text);
  return place(name);
};

const imports = "import { csv, defineExperiment, digits, mlp, twoLayer } from 'kernelscope';\n";
const fields = 'data: digits({ digits: [0, 1], train: 20, test: 10 }), probe: 8, steps: 5';
const experiment = `defineExperiment({ model: twoLayer({ width: 16 }), ${fields} })`;

const failure = async (file: string, exportName?: string): Promise<InputError> => {
  const error = await resolveExperiment({ file, exportName }).then(
    () => null,
    (e: unknown) => e,
  );
  if (!(error instanceof InputError)) throw new Error(`${file} was taken, or failed with ${String(error)}`);
  return error;
};

beforeAll(async () => {
  await useBackend('cpu', {});
});
afterAll(() => folder.clean());

describe('model files that are taken', () => {
  const files: Record<string, string> = {
    'esm.mjs': `${imports}export default ${experiment};`,
    'common.cjs': `const { defineExperiment, digits, twoLayer } = require('kernelscope');\nmodule.exports = ${experiment};`,
    'named.js': `const { defineExperiment, digits, twoLayer } = require('kernelscope');\nexports.one = ${experiment};`,
    'typed.ts': `${imports}enum Size { Small = 16 }\nconst base = { ${fields} } satisfies object;\nexport default defineExperiment({ ...base, model: twoLayer({ width: Size.Small as number }) });`,
    'importing.ts': `${imports}import { width } from './parts/size.js';\nexport default defineExperiment({ model: twoLayer({ width }), ${fields} });`,
    'node.ts': `${imports}import * as tf from '@tensorflow/tfjs-node';\nexport default defineExperiment({ model: () => tf.sequential({ layers: [tf.layers.dense({ inputShape: [64], units: 1 })] }), ${fields} });`,
    'plain.ts': `export default { model: { kind: 'twoLayer', width: 16 }, data: { kind: 'digits', digits: [0, 1] } };`,
  };
  beforeAll(() => {
    write('package.json', '{"type":"module"}');
    write('parts/size.ts', 'export const width: number = 16;');
  });

  it.each(Object.keys(files))('%s', async (name) => {
    const { definition } = await resolveExperiment({ file: write(name, files[name]) });
    expect(definition.data).toMatchObject({ kind: 'digits' });
  });

  it('lists every export, and asks which when there are several', async () => {
    const file = write(
      'several.ts',
      `${imports}export const a = ${experiment};\nexport const b = ${experiment};`,
    );
    expect((await loadModelFile(file)).map((e) => e.name)).toEqual(['a', 'b']);
    expect((await failure(file)).message).toMatch(/exports several experiments \(a, b\); choose one/);
    expect((await failure(file, 'c')).message).toMatch(/no export "c" to train; it has a, b/);
  });

  it('calls builders whose parameters are their own without the tf namespace', async () => {
    const file = write(
      'own-parameters.ts',
      "import * as tf from '@tensorflow/tfjs';\nexport function createModel(units = 5) { return tf.sequential({ layers: [tf.layers.dense({ inputShape: [3], units })] }); }",
    );
    const found = await inspectModel({
      file,
      exportName: 'createModel',
      overrides: {},
      backend: 'cpu',
      placeholderData: true,
    });
    expect(found?.parameters).toBe(20);
    expect(found?.data.placeholderData).toBe(true);
    expect(found?.problems).toEqual([]);
  });
});

describe('model files with a mistake', () => {
  const cases: [string, string, RegExp, Partial<InputError['place']>][] = [
    [
      'syntax.ts',
      `${imports}export default defineExperiment({\n  model: twoLayer({ width: 4 ),\n});`,
      /syntax\.ts:3:30: syntax error in "model: twoLayer/,
      { line: 3 },
    ],
    [
      'misspelt.ts',
      `${imports}export default defineExperiment({ modle: 1, ${fields} });`,
      /no field "modle"\. Did you mean "model"\? Allowed here: name, expect, model/,
      { field: 'modle' },
    ],
    [
      'missing-data.ts',
      `${imports}export default defineExperiment({ model: twoLayer({ width: 4 }) });`,
      /data is missing; it must be made by mnist\(/,
      { field: 'data' },
    ],
    [
      'value.ts',
      `${imports}export default defineExperiment({ model: twoLayer({ width: '64' }), ${fields} });`,
      /model\.width is "64"; it must be a whole number/,
      { field: 'model.width' },
    ],
    [
      'neurons.ts',
      `import { defineExperiment, teacher, twoLayer } from 'kernelscope';\nexport default defineExperiment({ model: twoLayer({ width: 4 }), data: teacher({ dimension: 2, neurons: 4 }) });`,
      /data\.neurons is 4; it must be an object with the fields theta, u, activation\./,
      { field: 'data.neurons' },
    ],
    [
      'optimizer.ts',
      `import { defineExperiment, digits, twoLayer } from 'kernelscope';\nexport default defineExperiment({ model: twoLayer({ width: 4 }), data: digits({}), optimizer: 'sgd' });`,
      /optimizer is "sgd"; it must be an object with the fields kind, learningRate/,
      { field: 'optimizer' },
    ],
    [
      'expect.ts',
      `${imports}export default defineExperiment({ expect: 'fast', model: twoLayer({ width: 4 }), ${fields} });`,
      /expect is "fast"; it must be one of 'lazy', 'rich'/,
      { field: 'expect' },
    ],
    [
      'deep.ts',
      `${imports}import { boom } from './parts/boom';\nexport default defineExperiment({ model: boom(), ${fields} });`,
      /deep\.ts:3: too few \(thrown at boom\.ts:2\)/,
      { line: 3 },
    ],
    ['exit.ts', 'process.exit(0);', /calls process\.exit\(0\) while it is loaded/, {}],
    ['text.ts', "throw 'only text';", /text\.ts: only text/, {}],
    [
      'package.ts',
      `import x from '@scope/thing/part';\nexport default x;`,
      /Cannot find the package '@scope\/thing\/part'\. Install it in the workspace \(npm install @scope\/thing\)/,
      { line: 1 },
    ],
    ['empty.ts', 'export const a = 1;', /exports nothing to train/, {}],
    [
      'mapped.js',
      `const k = require('kernelscope');\nthrow new Error('from the source');\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify({ version: 3, sources: ['original.ts'], names: [], mappings: ';AAIA' })).toString('base64')}`,
      /original\.ts:5: from the source/,
      {},
    ],
  ];
  beforeAll(() => {
    write('parts/boom.ts', "export function boom(): never {\n  throw new RangeError('too few');\n}\n");
  });

  it.each(cases)('%s', async (name, text, message, at) => {
    const file = write(name, text);
    const error = await failure(file);
    expect(error.message).toMatch(message);
    expect(error.place).toMatchObject(at);
  });

  const builders: [string, string, RegExp][] = [
    ['async', 'async () => 3', /must return a tf\.LayersModel/],
    ['number', '() => 42', /must return a tf\.LayersModel/],
    ['throwing', '() => { throw new Error("no layers"); }', /throwing\.ts:2: no layers/],
  ];
  it.each(builders)('a builder that is wrong: %s', async (name, builder, message) => {
    const file = write(
      `${name}.ts`,
      `${imports}export default defineExperiment({ model: ${builder}, ${fields} });`,
    );
    const request = { file, exportName: 'default', overrides: {}, backend: 'cpu' } as const;
    await expect(inspectModel(request)).rejects.toThrow(message);
  });
});
