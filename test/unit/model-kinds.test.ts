import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { modelOf } from '../../src/experiment/builtModel.js';
import type { ModelBuilder } from '../../src/experiment/definition.js';
import { chooseExport, loadModelFile } from '../../src/experiment/load.js';
import { useBackend } from '../../src/network/backends/index.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';
import { temporaryFolder } from '../helpers/folders.js';

const folder = temporaryFolder();
const place = (name: string) => path.join(folder.path, name);
const write = (name: string, text: string) => {
  mkdirSync(path.dirname(place(name)), { recursive: true });
  writeFileSync(place(name), text);
  return place(name);
};
beforeAll(async () => {
  await useBackend('cpu');
});
afterAll(() => folder.clean());

interface Asked {
  readonly args?: Readonly<Record<string, unknown>>;
  readonly inputShape?: readonly number[];
  readonly outputs?: number;
  readonly name?: string;
}

/** Parameters of the model that a file's builder makes, and what was said. */
async function made(file: string, asked: Asked = {}): Promise<{ parameters: number; notes: string }> {
  const { name, kind, value } = chooseExport(file, await loadModelFile(file), asked.name);
  const builder = (kind === 'builder' ? value : (value as { model: unknown }).model) as ModelBuilder;
  const request = { file, name, args: {}, ofExperiment: kind === 'experiment', ...asked };
  const { model, notes } = await modelOf(builder, { ...request, name });
  return { parameters: model.countParams(), notes: notes.join('\n') };
}

const T = "import * as tf from '@tensorflow/tfjs';\n";
const C = "const tf = require('@tensorflow/tfjs');\n";
const dense = (units: string | number, input: string | null = '[2]') =>
  `tf.layers.dense({ units: ${units}${input ? `, inputShape: ${input}` : ''} })`;
const net = (units: string | number = 3, input: string | null = '[2]') =>
  `tf.sequential({ layers: [${dense(units, input)}] })`;
/** Inputs 2, outputs 3: 9 parameters. */
const digits = { inputShape: [4], outputs: 5 };

describe('files that make a model, in the ways people write them', () => {
  const taken: [string, string, number, Asked?, RegExp?][] = [
    ['function.mjs', `${T}export function createModel() { return ${net()}; }`, 9],
    ['arrow.mjs', `${T}export const createModel = () => ${net()};`, 9],
    ['default.mjs', `${T}export default function () { const m = ${net()}; return m; }`, 9],
    ['default-import.mjs', `import tf from '@tensorflow/tfjs';\nexport default () => ${net()};`, 9],
    [
      'names.mjs',
      `import { sequential, layers } from '@tensorflow/tfjs';\nexport const f = () => sequential({ layers: [layers.dense({ units: 3, inputShape: [2] })] });`,
      9,
    ],
    [
      'added.mjs',
      `${T}export function network() { const model = tf.sequential(); model.add(${dense(3)}); return model; }`,
      9,
    ],
    [
      'functional.mjs',
      `${T}export function net() { const input = tf.input({ shape: [2] }); const y = tf.layers.dense({ units: 3 }).apply(input); return tf.model({ inputs: input, outputs: y }); }`,
      9,
    ],
    ['delegating.mjs', `${T}const inner = () => ${net()};\nexport const buildClassifier = () => inner();`, 9],
    ['async.mjs', `${T}export async function createModel() { await null; return ${net()}; }`, 9],
    [
      'waits.mjs',
      `${T}const units = await Promise.resolve(3);\nexport const createModel = () => ${dense(3)} && ${net('units')};`,
      9,
    ],
    [
      'waits-in-block.mjs',
      `${T}let units = 1;\nif (true) { units = await Promise.resolve(3); }\nfor (const u of [1]) { await u; }\nexport const createModel = () => ${net('units')};`,
      9,
    ],
    [
      'waits-on-waiting.mjs',
      `${T}import { units } from './waiting.mjs';\nexport const createModel = () => ${net('units')};`,
      9,
    ],
    [
      'no-wait.mjs',
      `${T}export const createModel = async () => { const f = async () => await 1; await f(); return ${net()}; };`,
      9,
    ],
    [
      'dynamic.mjs',
      `${T}const { width } = await import('./size.mjs');\nexport const createModel = () => ${net('width')};`,
      9,
    ],
    [
      'meta.mjs',
      `${T}import path from 'node:path';\nconst units = path.basename(import.meta.url).length - 5;\nexport const createModel = () => ${net('units')};`,
      9,
    ],
    [
      'meta-dir.mjs',
      `${T}import fs from 'node:fs';\nconst { units } = JSON.parse(fs.readFileSync(import.meta.dirname + '/size.json', 'utf8'));\nexport const createModel = () => ${net('units')};`,
      9,
    ],
    [
      'vite-env.mjs',
      `${T}const units = import.meta.env.UNITS ?? 3;\nexport const createModel = () => ${net('units')};`,
      9,
    ],
    ['common.cjs', `${C}module.exports = function createModel() { return ${net()}; };`, 9],
    ['common-names.cjs', `${C}exports.createModel = () => ${net()};`, 9],
    [
      'common-object.cjs',
      `${C}function createModel() { return ${net()}; }\nmodule.exports = { createModel, units: 3 };`,
      9,
    ],
    [
      'sloppy.cjs',
      `${C}undeclared = 3;\nfunction createModel() { delete this.nothing; return ${net('undeclared')}; }\nmodule.exports = { createModel };`,
      9,
    ],
    [
      'sloppy-octal.js',
      `${C}var units = 03;\nexports.createModel = function () { with ({ u: units }) { return ${net('u')}; } };`,
      9,
    ],
    [
      'main.cjs',
      `${C}exports.createModel = () => ${net()};\nif (require.main === module) throw new Error('run as a program');`,
      9,
    ],
    [
      'common-dynamic.cjs',
      `${C}unset = 3;\nexports.createModel = async () => { const { width } = await import('./size.cjs'); return ${net('width')}; };`,
      9,
    ],
    ['class.mjs', `${T}export class Network { constructor() { this.model = ${net()}; } }`, 9],
    ['class-build.mjs', `${T}export default class { build() { return ${net()}; } }`, 9],
    ['class-async.mjs', `${T}export class Agent { async createModel() { this.model = ${net()}; } }`, 9],
    [
      'class-arguments.mjs',
      `${T}export class Net { constructor(inputShape, units = 3) { this.model = ${net('units', 'inputShape')}; } }`,
      15,
      digits,
      /inputShape = \[4\]/,
    ],
    [
      'instance.mjs',
      `${T}class Net { constructor() { this.model = ${net()}; } }\nexport const net = new Net();`,
      9,
    ],
    ['model.mjs', `${T}export const model = ${net()};`, 9],
    ['model.cjs', `${C}module.exports = ${net()};`, 9],
    ['model-default.mjs', `${T}const model = ${net()};\nexport default model;`, 9],
    [
      'pair.mjs',
      `${T}export function createModel() { return { model: ${net()}, optimizer: tf.train.adam() }; }`,
      9,
    ],
    [
      'gpu.mjs',
      `import * as tf from '@tensorflow/tfjs-node-gpu';\nexport const createModel = () => ${net()};`,
      9,
    ],
    [
      'backend-import.mjs',
      `${T}import '@tensorflow/tfjs-backend-webgl';\nimport '@tensorflow/tfjs-backend-wasm';\nexport const createModel = () => ${net()};`,
      9,
    ],
    [
      'vis.mjs',
      `${T}import * as tfvis from '@tensorflow/tfjs-vis';\ntfvis.visor().surface({ name: 'x' });\nconst callbacks = tfvis.show.fitCallbacks({ name: 'x' }, ['loss']);\nexport const createModel = () => ${net()};`,
      9,
    ],
    [
      'tensors.mjs',
      `${T}const units = tf.tensor1d([0, 1, 2]).mul(2).dataSync().length;\nexport const createModel = () => ${net('units')};`,
      9,
    ],
    ['taken.mjs', `export const createModel = (tf) => ${net()};`, 9],
    [
      'taken-otherwise.mjs',
      `export const createModel = (t) => t.sequential({ layers: [t.layers.dense({ units: 3, inputShape: [2] })] });`,
      9,
    ],
    [
      'taken-apart.mjs',
      `export const createModel = ({ sequential, layers }) => sequential({ layers: [layers.dense({ units: 3, inputShape: [2] })] });`,
      9,
    ],
    [
      'defaults.mjs',
      `${T}export const createModel = (units = 3, inputShape = [2]) => ${net('units', 'inputShape')};`,
      9,
    ],
    [
      'options.mjs',
      `${T}export const createModel = ({ units = 3, inputShape = [2] } = {}) => ${net('units', 'inputShape')};`,
      9,
    ],
    [
      'shape.mjs',
      `${T}export const createModel = (inputShape) => ${net(3, 'inputShape')};`,
      15,
      digits,
      /createModel is given inputShape = \[4\]/,
    ],
    [
      'shape-classes.mjs',
      `${T}export const createModel = (inputShape, numClasses) => ${net('numClasses', 'inputShape')};`,
      25,
      digits,
      /inputShape = \[4\], numClasses = 5/,
    ],
    [
      'dim.mjs',
      `${T}export const createModel = (inputDim, n_classes) => ${net('n_classes', '[inputDim]')};`,
      25,
      digits,
      /inputDim = 4/,
    ],
    [
      'options-data.mjs',
      `${T}export const createModel = ({ inputShape, classes, units = 3 }) => ${net('units', 'inputShape')};`,
      15,
      digits,
      /inputShape = \[4\], classes = 5/,
    ],
    [
      'image.mjs',
      `${T}export const createModel = (height, width, channels) => ${net(3, '[height * width * channels]')};`,
      195,
      { inputShape: [8, 8, 1], outputs: 3 },
      /height = 8, width = 8, channels = 1/,
    ],
    ['arg.mjs', `${T}export const createModel = (hidden) => ${net('hidden')};`, 12, { args: { hidden: 4 } }],
    [
      'arg-over-default.mjs',
      `${T}export const createModel = (units = 3) => ${net('units')};`,
      12,
      { args: { units: 4 } },
    ],
    [
      'helpers.mjs',
      `${T}export function createModel() { return ${net()}; }\nexport function finalStep(model) { return tf.model({ inputs: model.inputs, outputs: model.layers[0].output }); }\nexport function predict(x) { return model(x); }`,
      9,
    ],
    [
      'trains-when-asked.mjs',
      `${T}export function createModel() { return ${net()}; }\nexport async function train(xs, ys) { const m = createModel(); m.compile({ loss: 'meanSquaredError', optimizer: 'sgd' }); await m.fit(xs, ys); return m; }`,
      9,
    ],
    [
      'typed.ts',
      `${T}interface Options { units: number }\nexport function createModel({ units }: Options = { units: 3 }): tf.LayersModel { return ${net('units')}; }`,
      9,
    ],
    [
      'typed-wait.ts',
      `${T}const units: number = await Promise.resolve(3);\nexport const createModel = (): tf.LayersModel => ${net('units')};`,
      9,
    ],
    [
      'view.tsx',
      `${T}export const createModel = () => ${net()};\nexport const View = () => null as unknown as JSX.Element;`,
      9,
    ],
    [
      'experiment.mjs',
      `import { defineExperiment, digits } from 'kernelscope';\nexport default defineExperiment({ model: async (anything) => anything.sequential({ layers: [anything.layers.dense({ units: 3, inputShape: [2] })] }), data: digits() });`,
      9,
    ],
    [
      'own-layer.mjs',
      `${T}class Double extends tf.layers.Layer { call(x) { return tf.mul(Array.isArray(x) ? x[0] : x, 2); } static get className() { return 'Double' + 1; } }\ntf.serialization.registerClass(Double);\nexport const createModel = () => tf.sequential({ layers: [${dense(3)}, new Double({})] });`,
      9,
    ],
  ];
  beforeAll(() => {
    write('size.mjs', 'export const width = await Promise.resolve(3);');
    write('waiting.mjs', 'export const units = await Promise.resolve(3);');
    write('size.cjs', 'exports.width = 3;');
    write('size.json', '{ "units": 3 }');
  });
  it.each(taken)('%s', async (name, text, parameters, asked, notes) => {
    const found = await made(write(name, text), asked);
    expect(found.parameters).toBe(parameters);
    if (notes) expect(found.notes).toMatch(notes);
    else expect(found.notes).toBe('');
  });

  const refused: [string, string, RegExp, Asked?][] = [
    [
      'unknown.mjs',
      `${T}\nexport function createModel(inputShape, units) { return ${net('units', 'inputShape')}; }`,
      /unknown\.mjs:3: the builder createModel takes \(inputShape, units\), and nothing says what units should be\. Give it by --arg units=VALUE/,
      digits,
    ],
    [
      'no-data.mjs',
      `${T}export const createModel = (inputShape) => ${net(3, 'inputShape')};`,
      /takes \(inputShape\), and nothing says what inputShape should be/,
    ],
    [
      'no-such-arg.mjs',
      `${T}export const createModel = (units = 3) => ${net('units')};`,
      /--arg width: the builder createModel takes \(units\), but no width/,
      { args: { width: 3 } },
    ],
    [
      'options-unknown.mjs',
      `${T}export const createModel = ({ inputShape, hidden }) => ${net('hidden', 'inputShape')};`,
      /nothing says what hidden should be/,
      digits,
    ],
    [
      'loose.mjs',
      `${T}const w = tf.variable(tf.ones([2, 1]));\nfunction model(x) { return tf.matMul(x, w); }\nexport function train(x, y) { return tf.train.sgd(0.1).minimize(() => tf.losses.meanSquaredError(y, model(x)), true); }\nexport function predict(x) { return model(x); }`,
      /exports nothing to train/,
    ],
    [
      'trains.mjs',
      `${T}const m = ${net()};\nm.compile({ loss: 'meanSquaredError', optimizer: 'sgd' });\nawait m.fit(tf.zeros([4, 2]), tf.zeros([4, 3]));\nexport const createModel = () => m;`,
      /trains when it is loaded \(fit\), and that training would go unrecorded/,
    ],
    [
      'trains-later.cjs',
      `${C}exports.createModel = () => ${net()};\nasync function main() { const m = exports.createModel(); m.compile({ loss: 'meanSquaredError', optimizer: 'sgd' }); await m.fit(tf.zeros([4, 2]), tf.zeros([4, 3])); process.exit(0); }\nmain();`,
      /trains when it is loaded \(fit\)/,
    ],
    [
      'minimizes.mjs',
      `${T}const w = tf.variable(tf.scalar(1));\ntf.train.sgd(0.1).minimize(() => w.square());\nexport const createModel = () => ${net()};`,
      /trains when it is loaded \(minimize\)/,
    ],
    [
      'browser.mjs',
      `${T}document.getElementById('x');\nexport const createModel = () => ${net()};`,
      /browser\.mjs:2: It uses the browser \(document\), but model files run without one/,
    ],
    [
      'alias.mjs',
      `import { x } from '@/lib/x';\nexport default x;`,
      /Cannot find '@\/lib\/x': no package has this name, and no tsconfig\.json/,
    ],
    [
      'node-only.mjs',
      `import * as tf from '@tensorflow/tfjs-node';\nexport const createModel = () => { tf.node.decodeImage(1); return ${net()}; };`,
      /tf\.node\.decodeImage is part of @tensorflow\/tfjs-node/,
    ],
    [
      'several.mjs',
      `${T}export const createModel = () => ({ actor: ${net()}, critic: ${net()} });`,
      /gives several models \(actor, critic\)/,
    ],
    [
      'empty.mjs',
      `${T}export const createModel = () => tf.sequential();`,
      /the model of createModel has no layers/,
    ],
    [
      'no-shape.mjs',
      `${T}export const createModel = () => tf.sequential({ layers: [tf.layers.dense({ units: 3 })] });`,
      /no-shape\.mjs:2: The first layer of the model has no inputShape\. Give it one/,
    ],
    ['nothing.mjs', `${T}export const createModel = () => { ${net()}; };`, /must return a tf\.LayersModel/],
    [
      'waits-and-fails.mjs',
      `${T}await Promise.reject(new Error('no server'));\nexport const createModel = () => ${net()};`,
      /waits-and-fails\.mjs:2: no server|waits-and-fails\.mjs: no server/,
    ],
  ];
  it.each(refused)('refuses %s', async (name, text, message, asked) => {
    const error = await made(write(name, text), asked).catch((e: unknown) => e);
    expect((error as Error).message).toMatch(message);
    if (name !== 'node-only.mjs') expect(error).toBeInstanceOf(InputError);
  });

  it('keeps what a file prints away from stdout', async () => {
    const { log } = console;
    const printed: unknown[] = [];
    const { write: stdout } = process.stdout;
    process.stdout.write = ((text: string) => printed.push(text) > 0) as never;
    try {
      await made(
        write(
          'prints.mjs',
          `${T}console.log('loaded');\nexport const createModel = () => { console.log('built'); return ${net()}; };`,
        ),
      );
    } finally {
      process.stdout.write = stdout;
    }
    expect(printed.join('')).not.toMatch(/loaded|built/);
    expect(typeof log).toBe('function');
  });

  it('follows the aliases of tsconfig.json, comments, extends and baseUrl', async () => {
    write(
      'ts/base.json',
      '{ "compilerOptions": { "baseUrl": ".", "paths": { "~/*": ["./lib/*"], "one": ["./lib/size"] } } }',
    );
    write('ts/tsconfig.json', '{ // comment\n "extends": "./base.json", /* more */ "include": ["src"], }');
    write('ts/lib/size.ts', 'export const width: number = 3;');
    write('ts/lib/folder/index.ts', "export { width } from '~/size.js';");
    for (const [i, name] of ['~/size', '~/folder', 'one', 'lib/size'].entries()) {
      const file = write(
        `ts/src/${i}.ts`,
        `${T}import { width } from '${name}';\nexport const createModel = () => ${net('width')};`,
      );
      expect((await made(file)).parameters).toBe(9);
    }
    write('js/jsconfig.json', '{ "compilerOptions": { "paths": { "@/*": ["./*"] } } }');
    write('js/size.js', 'exports.width = 3;');
    expect(
      (
        await made(
          write(
            'js/a.mjs',
            `${T}import { width } from '@/size';\nexport const createModel = () => ${net('width')};`,
          ),
        )
      ).parameters,
    ).toBe(9);
  });

  it('loads a saved model by file://, and its weights are kept', async () => {
    const fixture = path.join(__dirname, '..', 'fixtures', 'keras3', 'seq');
    const file = write(
      'loads.mjs',
      `${T}export const createModel = () => tf.loadLayersModel('file://${fixture}/model.json');`,
    );
    const { value } = chooseExport(file, await loadModelFile(file));
    const { model } = await modelOf(value as ModelBuilder, {
      file,
      name: 'createModel',
      args: {},
      ofExperiment: false,
    });
    const bytes = readFileSync(path.join(fixture, 'group1-shard1of1.bin'));
    const { kept } = buildModel(() => model, { inputShape: [6], outputs: 2, seed: 7 });
    expect(kept).toEqual({ weights: 4, of: 4 });
    expect(model.getWeights()[0].dataSync()[0]).toBe(bytes.readFloatLE(0));
    expect(tf.memory().numTensors).toBeGreaterThan(0);
  });
});
