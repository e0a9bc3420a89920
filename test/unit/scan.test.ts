import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { blankedCode, editField, locateField, scanExports } from '../../src/experiment/scan.js';
import { scanTrainings } from '../../src/experiment/scanTraining.js';

const names = (text: string) => scanExports(text).map((e) => `${e.kind} ${e.name}`);

describe('scanning a model file', () => {
  it.each([
    ['export default defineExperiment({ model: twoLayer({ width: 4 }) });', ['experiment default']],
    [
      'export const a = defineExperiment({});\nexport const b: X = defineExperiment({});',
      ['experiment a', 'experiment b'],
    ],
    ['const a = defineExperiment({});\nexport default a;', ['experiment default']],
    ['const a = defineExperiment({});\nexport { a };', ['experiment a']],
    ['module.exports = defineExperiment({});', ['experiment default']],
    ['exports.fast = defineExperiment({});', ['experiment fast']],
    ['export function createModel() { return make(); }', ['builder createModel']],
    ['export function deep(): tf.LayersModel { return x; }', ['builder deep']],
    ['export const net = () => tf.sequential({ layers: [] });', ['builder net']],
    ['export const net = (tf) => { const m = tf.model({}); return m; };', ['builder net']],
    ['export default function () { return tf.sequential(); }', ['builder default']],
    ['export function helper() { return 3; }', []],
    ['// export default defineExperiment({})\nconst s = "export default defineExperiment({";', []],
    ['const hidden = defineExperiment({});', []],
    ['export default defineExperiment({ model: (tf) => tf.sequential(', ['experiment default']],
    ['const a = defineExperiment({});\nexport { a as default };', ['experiment default']],
    ['const a = defineExperiment({});\nexport { a as wide };', ['experiment wide']],
    ['const a = defineExperiment({});\nexport { a };\nexport default a;', ['experiment default']],
    ["import * as ks from 'kernelscope';\nexport default ks.defineExperiment({});", ['experiment default']],
    [
      "import { defineExperiment as exp } from 'kernelscope';\nexport default exp({});",
      ['experiment default'],
    ],
    ['export default defineExperiment<Foo>({});', ['experiment default']],
    ['export = defineExperiment({});', ['experiment default']],
    ['export const größe = defineExperiment({});', ['experiment größe']],
    ['export const a = defineExperiment({}), b = 2;', ['experiment a']],
    [
      'function createModel() { return tf.sequential(); }\nmodule.exports = { createModel };',
      ['builder createModel'],
    ],
    ['const m = () => tf.sequential();\nmodule.exports = { one: 1, build: m, other };', ['builder build']],
    ['module.exports = { build() { return tf.model({}); }, n: 3 };', ['builder build']],
    ['module.exports = { build: async (n = 3) => tf.sequential({ layers: [n] }) };', ['builder build']],
    [
      'module.exports = function (units) { const m = tf.sequential(); m.add(1); return m; };',
      ['builder default'],
    ],
    [
      'exports.createModel = function () { return make(); };\nmodule.exports.net = () => tf.sequential();',
      ['builder createModel', 'builder net'],
    ],
    ['function build() { return tf.sequential(); }\nexport { build };', ['builder build']],
    [
      'function build() { return tf.sequential(); }\nexport { build as default, other as net };',
      ['builder default'],
    ],
    [
      "import { layers, sequential } from '@tensorflow/tfjs';\nexport function build() { return sequential({ layers: [] }); }",
      ['builder build'],
    ],
    [
      'export async function build(units = 8, depth = { a: 1 }): Promise<tf.LayersModel> { return load(units); }',
      ['builder build'],
    ],
    ['export function build(): LayersModel { return load(); }', ['builder build']],
    [
      'export const build = async <T>(x: T): Promise<LayersModel> => { return await make(x); };',
      ['builder build'],
    ],
    ['export function build() { let model; model = tf.sequential(); return model; }', ['builder build']],
    [
      'export class Net { constructor(n) { this.n = n; } build() { const m = tf.sequential(); return m; } }',
      ['builder Net'],
    ],
    [
      'class Agent { createNetwork() { return tf.sequential(); } }\nmodule.exports = Agent;',
      ['builder default'],
    ],
    [
      'export function createModel(): tf.LayersModel;\nexport function createModel(n?: number): tf.LayersModel { return tf.sequential(); }',
      ['builder createModel'],
    ],
    ['export const 建模 = () => tf.sequential();', ['builder 建模']],
    ['function build() { return tf.sequential(); }\nbuild();', []],
    ['export { build } from "./other";\nconst s = tf.sequential();', []],
    ['export const history = []; export function plot(model) { return model.fit(); }', []],
  ])('finds the exports of %s', (text, expected) => {
    expect(names(text)).toEqual(expected);
  });

  it('knows the layers and the model of an export', () => {
    const text = readFileSync(path.join(__dirname, '..', '..', 'examples', 'convolutional.ts'), 'utf8');
    const [found] = scanExports(text);
    expect(found.layers.map((l) => l.name)).toEqual(['conv2d', 'conv2d', 'globalAveragePooling2d', 'dense']);
    expect(text.slice(found.layers[3].start, found.layers[3].end)).toBe('layers.dense({ units: 10 })');
    expect(
      scanExports('export default defineExperiment({ model: mlp({ hidden: [3] }) })')[0].model?.name,
    ).toBe('mlp');
  });

  it('locates nested fields, and the deepest written part of a path', () => {
    const text =
      "export default defineExperiment({ width: 1, optimizer: sgd({ learningRate: 0.5 }), model: twoLayer({ width: 64 }), loss: 'mse' });";
    const [found] = scanExports(text);
    const value = (field: string) => {
      const at = locateField(text, found, field);
      return at && text.slice(at.valueStart, at.valueEnd);
    };
    expect(value('optimizer.learningRate')).toBe('0.5');
    expect(value('model.width')).toBe('64');
    expect(value('loss')).toBe("'mse'");
    expect(value('optimizer.momentum')).toBe('sgd({ learningRate: 0.5 })');
    expect(value('probe')).toBeNull();
  });

  it('does not take the field of an inner object for that of the experiment', () => {
    const text =
      'export default defineExperiment({ data: teacher({ noise: 0.1 }), noise: { temperature: 2 }, model });';
    const [found] = scanExports(text);
    const noise = locateField(text, found, 'noise');
    expect(noise && text.slice(noise.valueStart, noise.valueEnd)).toBe('{ temperature: 2 }');
    const inner = locateField(text, found, 'data.noise');
    expect(inner && text.slice(inner.valueStart, inner.valueEnd)).toBe('0.1');
    const short = locateField(text, found, 'model.width');
    expect(short).toMatchObject({ exact: false });
    expect(short && text.slice(short.keyStart, short.valueEnd)).toBe('model');
  });

  it('writes the edit that gives a field a value, or none where the object is elsewhere', () => {
    const edited = (text: string, field: string, value: string) => {
      const edit = editField(text, scanExports(text)[0], field, value);
      return edit && text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    };
    const made = (inside: string) => `export default defineExperiment({${inside}});`;
    expect(edited(made(' model: mlp({ hidden: [4, 4] }) '), 'model.init', "'symmetric'")).toBe(
      made(" model: mlp({ init: 'symmetric', hidden: [4, 4] }) "),
    );
    expect(edited(made('\n  model: mlp({\n    hidden: [4],\n  }),\n'), 'model.init', "'symmetric'")).toBe(
      made("\n  model: mlp({\n    init: 'symmetric',\n    hidden: [4],\n  }),\n"),
    );
    expect(edited(made(' optimizer: sgd({ learningRate: 3 }) '), 'optimizer.learningRate', '0.5')).toBe(
      made(' optimizer: sgd({ learningRate: 0.5 }) '),
    );
    expect(edited(made(' optimizer: sgd({ learningRate }) '), 'optimizer.learningRate', '0.5')).toBe(
      made(' optimizer: sgd({ learningRate: 0.5 }) '),
    );
    expect(edited(made(' optimizer: sgd({}) '), 'optimizer.learningRate', '0.5')).toBe(
      made(' optimizer: sgd({ learningRate: 0.5 }) '),
    );
    expect(edited(made(' seed: 1 '), 'probe', '64')).toBe(made(' probe: 64, seed: 1 '));
    expect(edited(made(' model, seed: 1 '), 'model.width', '64')).toBeNull();
    expect(edited(made(' ...shared, seed: 1 '), 'optimizer.learningRate', '1')).toBeNull();
  });

  it('keeps the length of the text and survives strings, templates and regular expressions', () => {
    const text = "const a = /[/'\"]{2}/g; const b = `}{`; /* { */ const c = '}'; // }\nx = a / b / c;";
    const code = blankedCode(text);
    expect(code.length).toBe(text.length);
    expect(code).not.toMatch(/[{}]/);
    expect(code).toContain('x = a / b / c;');
  });

  it('scans 2,000 lines in a fraction of a frame', () => {
    const line = "  const value = layer({ name: 'a', units: 3 }); // a comment with { and '\n";
    const text = `${line.repeat(2000)}export default defineExperiment({ model: twoLayer({ width: 4 }) });`;
    scanExports(text);
    const start = performance.now();
    expect(scanExports(text)).toHaveLength(1);
    // A generous bound: what is guarded is that nothing quadratic creeps in.
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe('scanning for places that train', () => {
  const imported = "const tf = require('@tensorflow/tfjs');\n";
  it.each([
    ['await model.fit(x, y, { epochs: 3 });', ['fit']],
    ['await this.model\n  .fitDataset(data, {});', ['fitDataset']],
    ['optimizer.minimize(() => loss());', ['minimize']],
    ['tf.train.sgd(0.1).minimize(f);\nopt.applyGradients(g);', ['minimize', 'applyGradients']],
    ['const l = await models[0].trainOnBatch(x, y);', ['trainOnBatch']],
    ['// model.fit(x)\nconst s = "model.fit(x)"; fit(x); model.fitted(x);', []],
  ])('%s', (text, expected) => {
    expect(scanTrainings(imported + text).map(({ name }) => name)).toEqual(expected);
    expect(scanTrainings(text.replaceAll('tf.', ''))).toEqual([]);
  });

  it('gives the start of the line', () => {
    const text = `${imported}  await model.fit(x);\n`;
    expect(scanTrainings(text)[0].start).toBe(imported.length);
  });
});
