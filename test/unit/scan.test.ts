import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { blankedCode, editField, locateField, scanExports } from '../../src/experiment/scan.js';

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
