import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { root, temporaryFolder } from '../helpers/folders.js';
import { TypeScriptServer } from '../helpers/tsserver.js';

/** Another version's tsserver.js: KERNELSCOPE_TSSERVER=… runs all of this with it. */
const program = process.env['KERNELSCOPE_TSSERVER'];

const text = `import { defineExperiment, digits, twoLayer } from 'kernelscope';

export default defineExperiment({
  model: twoLayer({ width: 64 }),
  data: digits(),
});
`;
const builder = `import { defineExperiment, digits } from 'kernelscope';

export default defineExperiment({
  model: (tf) => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [64] })] }),
  data: digits(),
});
`;

let server: TypeScriptServer;
let place: ReturnType<typeof temporaryFolder>;
const workspaces: (typeof place)[] = [];

type Files = Readonly<Record<string, string | object>>;

function write(folder: string, files: Files): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
}

/** A new workspace with these files; gives the path of one of them. */
function workspace(files: Files): (name: string) => string {
  place = temporaryFolder();
  workspaces.push(place);
  const folder = place.path;
  write(folder, files);
  return (name) => path.join(folder, name);
}

/** Opens a file of the last workspace as it lies there. */
function open(file: string): string {
  const content = readFileSync(file, 'utf8');
  server.open(file, content, place.path);
  return content;
}

const problemsOf = async (file: string): Promise<string[]> => {
  open(file);
  return (await server.problems(file)).map(({ code, text: message }) => `${code}: ${message}`);
};

beforeAll(() => {
  server = new TypeScriptServer({ program });
});
afterAll(() => {
  server.stop();
  for (const { clean } of workspaces) clean();
});

describe('a model file in a workspace that has installed nothing', () => {
  it('has no problem, and nothing is written beside it', async () => {
    const at = workspace({ 'model.ts': text });
    expect(await problemsOf(at('model.ts'))).toEqual([]);
    expect(readdirSync(place.path)).toEqual(['model.ts']);
  });

  it('would have one without the plugin', async () => {
    const at = workspace({ 'model.ts': text });
    const bare = new TypeScriptServer({ program, extension: null });
    try {
      bare.open(at('model.ts'), text, place.path);
      expect((await bare.problems(at('model.ts'))).map(({ code }) => code)).toContain(2307);
    } finally {
      bare.stop();
    }
  });

  it('is told of a field that does not exist', async () => {
    const at = workspace({ 'model.ts': text.replace('width: 64', 'width: 64, widht: 3') });
    expect(await problemsOf(at('model.ts'))).toEqual([expect.stringContaining("'widht' does not exist")]);
  });

  it('is offered the fields of a builder, and sees what it says', async () => {
    const at = workspace({ 'model.ts': text });
    const source = open(at('model.ts'));
    expect(await server.completions(at('model.ts'), source, 'twoLayer({ ')).toEqual(
      expect.arrayContaining(['activation', 'scale', 'init', 'bias', 'train']),
    );
    const hover = await server.hover(at('model.ts'), source, 'twoLayer({');
    expect(hover).toContain('TwoLayerModel');
    expect(hover).toContain('f(x) = (alpha / m) sum_j u_j phi(theta_j . x)');
  });

  it('is offered TensorFlow.js in a builder of its own', async () => {
    const at = workspace({ 'model.ts': builder });
    expect(await problemsOf(at('model.ts'))).toEqual([]);
    const layers = await server.completions(at('model.ts'), builder, 'tf.layers.');
    expect(layers).toEqual(expect.arrayContaining(['dense', 'conv2d', 'globalAveragePooling2d']));
  });

  it('may import TensorFlow.js, also for types alone', async () => {
    const at = workspace({
      'model.ts': `import * as tf from '@tensorflow/tfjs';
export function createModel(): tf.LayersModel {
  const half: tf.Tensor = tf.ones([2]).mul(0.5);
  half.dispose();
  return tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] });
}
`,
      'typed.ts': builder
        .replace('(tf)', '(tf: typeof import("@tensorflow/tfjs"))')
        .replace('import', "import type * as all from '@tensorflow/tfjs-node';\nimport")
        .concat('export type Model = all.LayersModel;\n'),
    });
    expect(await problemsOf(at('model.ts'))).toEqual([]);
    expect(await problemsOf(at('typed.ts'))).toEqual([]);
  });

  it('has no problem in any of the templates and examples', async () => {
    const files: Record<string, string> = {};
    for (const folder of ['media/templates', 'examples'])
      for (const name of readdirSync(path.join(root, folder)))
        if (/\.[jt]s$/.test(name))
          files[`${path.basename(folder)}/${name}`] = readFileSync(path.join(root, folder, name), 'utf8');
    expect(Object.keys(files).length).toBeGreaterThan(8);
    const at = workspace({ ...files, 'tsconfig.json': { compilerOptions: { strict: true, checkJs: true } } });
    const problems: string[] = [];
    for (const name of Object.keys(files))
      problems.push(...(await problemsOf(at(name))).map((problem) => `${name}: ${problem}`));
    expect(problems).toEqual([]);
  });
});

describe('with a configuration', () => {
  it.each([
    ['node16', { module: 'node16' }, { type: 'module' }],
    ['node16 in CommonJS', { module: 'node16' }, {}],
    ['bundler', { module: 'esnext', moduleResolution: 'bundler' }, { type: 'module' }],
    ['commonjs', { module: 'commonjs' }, {}],
  ])('%s, types are found', async (_, module, manifest) => {
    const at = workspace({
      'tsconfig.json': { compilerOptions: { strict: true, noEmit: true, target: 'es2022', ...module } },
      'package.json': manifest,
      'model.ts': text,
      'builder.ts': builder,
    });
    expect(await problemsOf(at('model.ts'))).toEqual([]);
    expect(await problemsOf(at('builder.ts'))).toEqual([]);
  });

  it('checked JavaScript finds them, imported or required', async () => {
    const at = workspace({
      'jsconfig.json': { compilerOptions: { checkJs: true, strict: true, module: 'commonjs' } },
      'model.js': text,
      'wrong.js': text.replace('width: 64', "width: 'wide'"),
      'old.cjs': `const { defineExperiment, digits, twoLayer } = require('kernelscope');
module.exports = defineExperiment({ model: twoLayer({ width: 64 }), data: digits() });
`,
    });
    expect(await problemsOf(at('model.js'))).toEqual([]);
    expect(await problemsOf(at('wrong.js'))).toEqual([expect.stringContaining("'string' is not assignable")]);
    const source = open(at('old.cjs'));
    expect(await server.problems(at('old.cjs'))).toEqual([]);
    expect(await server.hover(at('old.cjs'), source, 'twoLayer({')).toContain('TwoLayerModel');
  });
});

describe('a package that is installed', () => {
  const modules = {
    'node_modules/kernelscope/package.json': { name: 'kernelscope', version: '9.9.9', types: 'index.d.ts' },
    'node_modules/kernelscope/index.d.ts':
      'export declare function twoLayer(spec: { theirs: number }): { kind: "theirs" };',
  };
  const tensorflow = {
    'node_modules/@tensorflow/tfjs/package.json': { name: '@tensorflow/tfjs', types: 'index.d.ts' },
    'node_modules/@tensorflow/tfjs/index.d.ts':
      'export declare class LayersModel { private secret; }\nexport declare function theirs(): LayersModel;',
  };

  it('wins, in an inferred project', async () => {
    const at = workspace({
      ...modules,
      'model.ts': "import { twoLayer } from 'kernelscope';\ntwoLayer({ });\n",
    });
    const source = open(at('model.ts'));
    expect(await server.completions(at('model.ts'), source, 'twoLayer({ ')).toEqual(['theirs']);
    expect(await server.declaredIn(at('model.ts'), source, 'twoLayer')).toContain(
      'node_modules/kernelscope/',
    );
  });

  it('wins, with a configuration', async () => {
    const at = workspace({
      ...modules,
      'tsconfig.json': { compilerOptions: { module: 'node16', strict: true } },
      'deep/model.ts': "import { twoLayer } from 'kernelscope';\ntwoLayer({ });\n",
    });
    const source = open(at('deep/model.ts'));
    expect(await server.declaredIn(at('deep/model.ts'), source, 'twoLayer')).toContain(
      'node_modules/kernelscope/',
    );
  });

  it('wins from the moment it is installed', async () => {
    // TypeScript watches no folder as close to the root as a temporary one is.
    const at = workspace({
      'some/project/tsconfig.json': { compilerOptions: { module: 'esnext', moduleResolution: 'bundler' } },
      'some/project/model.ts': text,
    });
    const file = at('some/project/model.ts');
    const source = open(file);
    const declaredIn = () => server.declaredIn(file, source, 'twoLayer');
    expect(await declaredIn()).toContain('dist/editor/');
    write(at('some/project'), modules);
    await expect.poll(declaredIn, { timeout: 30_000, interval: 500 }).toContain('node_modules/kernelscope/');
  });

  it('is the TensorFlow.js of our builders too, so that its classes fit', async () => {
    const at = workspace({
      ...tensorflow,
      'model.ts': `import type * as all from '@tensorflow/tfjs';
import { defineExperiment, digits } from 'kernelscope';
export default defineExperiment({ model: (tf) => tf.theirs(), data: digits() });
export const typed = defineExperiment({ model: (tf: typeof all) => tf.theirs(), data: digits() });
`,
    });
    expect(await problemsOf(at('model.ts'))).toEqual([]);
  });
});

describe('imports that are offered', () => {
  interface Entry {
    readonly name: string;
    readonly source?: string;
    readonly sourceDisplay?: readonly { text: string }[];
    readonly data?: object;
  }
  interface Action {
    readonly description: string;
    readonly changes: readonly { textChanges: readonly { newText: string }[] }[];
  }
  const added = (actions: readonly Action[]): string[] =>
    actions.flatMap(({ changes }) =>
      changes.flatMap((c) => c.textChanges.map((edit) => edit.newText.trim())),
    );
  afterEach(() => server.request('configure', { preferences: {} }));

  it.each([
    ['in a new file', 'const start = sgd', `import { sgd } from "kernelscope";`],
    ['beside another', "import { digits } from 'kernelscope';\nconst start = sgd", ', sgd'],
  ])('name the module, %s', async (_, source, wanted) => {
    const at = workspace({ 'model.ts': text, 'other.ts': `${source}\n` });
    open(at('model.ts'));
    open(at('other.ts'));
    const preferences = { includeCompletionsForModuleExports: true, includeCompletionsWithInsertText: true };
    await server.request('configure', { preferences });
    const line = source.split('\n').length;
    const file = at('other.ts');
    const where = { file, line, offset: 18 };
    const { entries } = await server.request<{ entries: Entry[] }>('completionInfo', where);
    const offered = entries.filter(({ name, source: from }) => name === 'sgd' && from);
    expect(offered.map(({ sourceDisplay }) => sourceDisplay?.map((part) => part.text).join(''))).toEqual([
      'kernelscope',
    ]);
    const [{ name, source: from, data }] = offered;
    const [details] = await server.request<{ codeActions: Action[] }[]>('completionEntryDetails', {
      ...where,
      entryNames: [{ name, source: from, data }],
    });
    expect(added(details.codeActions)).toEqual([wanted]);
    const span = { startLine: line, startOffset: 15, endLine: line, endOffset: 18 };
    const fixes = await server.request<Action[]>('getCodeFixes', { file, ...span, errorCodes: [2304] });
    const imports = fixes.filter(({ description }) => /import/.test(description));
    expect(added(imports)).toEqual([wanted]);
    expect(imports[0].description).toContain('"kernelscope"');
  });

  it('are not those of TensorFlow.js, which is not installed', async () => {
    const at = workspace({ 'model.ts': text, 'other.ts': 'const other = globalAveragePool' });
    open(at('model.ts'));
    open(at('other.ts'));
    await server.request('configure', { preferences: { includeCompletionsForModuleExports: true } });
    const { entries } = await server.request<{ entries: Entry[] }>('completionInfo', {
      file: at('other.ts'),
      line: 1,
      offset: 32,
    });
    expect(entries.filter(({ source }) => source && /tensorflow|tfjs/.test(source))).toEqual([]);
  });
});
