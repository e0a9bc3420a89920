import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeNpz } from '../../src/core/npz.js';
import { cli } from '../helpers/cli.js';
import { model, temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
const at = (...names: string[]) => path.join(place.path, ...names);
const write = (name: string, content: string | Uint8Array): string => {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
  return at(name);
};
const on = (data: string, name: string): string =>
  write(
    name,
    `import { csv, defineExperiment, mnist, npz, twoLayer } from 'kernelscope';
export default defineExperiment({ model: twoLayer({ width: 4 }), data: ${data}, steps: 2, probe: 2 });
`,
  );
const good =
  '{ model: twoLayer({ width: 4 }), data: teacher({ dimension: 3, train: 8, test: 2 }), steps: 200000, probe: 2 }';
const code = (name: string, text: string): string =>
  write(name, `import { defineExperiment, teacher, twoLayer } from 'kernelscope';\n${text}\n`);

beforeAll(() => {
  place = temporaryFolder();
  write('ragged.csv', 'a,b,y\n1,2,3\n4,5\n');
  write('header.csv', 'a,b,y\n');
  write('empty.csv', '');
  const arrays = encodeNpz({
    x: { data: new Float32Array(8), shape: [4, 2] },
    y: { data: new Float32Array(4) },
  });
  write('cut.npz', arrays.slice(0, 200));
  write(
    'data/train-images-idx3-ubyte.gz',
    gzipSync(new Uint8Array(40)).map((v, i) => (i > 12 ? v ^ 255 : v)),
  );
  for (const name of ['train-labels-idx1', 't10k-images-idx3', 't10k-labels-idx1'])
    write(`data/${name}-ubyte.gz`, gzipSync(new Uint8Array(40)));
  write('a-file', '');
  const args = ['run', model('small.ts'), '--backend', 'cpu', '--set', 'steps=4', '--out', at('run')];
  expect(cli(args).code).toBe(0);
});
afterAll(() => place.clean());

/** One sentence, or some, with the file in it, and no trace of the program. */
function requireSentence(stderr: string, file: string): void {
  const told = stderr
    .split('\n')
    .filter((line) => line && !/^\s*\d+ %|^ {4}step|^Backend|^Step size|parameters,/.test(line));
  const text = told.join('\n');
  expect(text).toMatch(/[.)]$/);
  expect(text).toContain(file);
  expect(text).not.toMatch(/^\s+at |node:internal|TypeError|ReferenceError|\[object Object\]/m);
  expect(text.split('\n').length).toBeLessThan(4);
}

describe('what is wrong with a file is a sentence with its name', () => {
  it.each([
    ["csv({ path: 'ragged.csv' })", 'ragged.csv'],
    ["csv({ path: 'header.csv' })", 'header.csv'],
    ["csv({ path: 'empty.csv' })", 'empty.csv'],
    ["csv({ path: 'none.csv' })", 'none.csv'],
    ["npz({ path: 'cut.npz' })", 'cut.npz'],
    ["npz({ path: 'a-file' })", 'a-file'],
    ["mnist({ path: 'data' })", 'data'],
  ])('of data: %s', (data, file) => {
    const { code: exit, stderr } = cli(['run', on(data, 'm.ts'), '--backend', 'cpu', '--out', at('x')]);
    expect(exit).toBe(2);
    requireSentence(stderr, file);
    expect(existsSync(at('x'))).toBe(false);
  });

  it.each([
    ['throw undefined;', 'throws undefined'],
    ['throw { a: 1 };', 'throws [object Object]'],
    ["throw new Error('mine');", 'mine'],
    ['module.exports = { get model() { throw new Error("getter"); }, data: 1 };', 'getter'],
    [`export default defineExperiment(${good});\nPromise.reject(new Error('left'));`, 'left'],
    [
      `export default defineExperiment(${good});\nsetTimeout(() => { throw new Error('later'); }, 400);`,
      'later',
    ],
    [`export default defineExperiment(${good});\nsetTimeout(() => { Promise.reject(5); }, 400);`, '(5)'],
  ])('of a model file: %s', (text, words) => {
    const out = at(`y-${words.replace(/\W/g, '')}`);
    const { code: exit, stderr } = cli(['run', code('bad.ts', text), '--backend', 'cpu', '--out', out]);
    expect(exit).toBe(2);
    const told = stderr.split('\n').filter((line) => line.includes('bad.ts'));
    expect(told.join('\n')).toContain(words);
    expect(stderr).not.toMatch(/^\s+at |node:internal/m);
  });

  it('of a run', () => {
    const file = at('run', 'kernels', '00000000.npy');
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, 100));
    for (const args of [
      ['report', at('run'), '--out', at('r.html')],
      ['export', at('run'), '--format', 'npz', '--out', at('r.npz')],
    ]) {
      const { code: exit, stderr } = cli(args);
      expect(exit, args[0]).toBe(2);
      requireSentence(stderr, '00000000.npy');
    }
    writeFileSync(file, whole);
  });

  it.each([
    [['run', model('small.ts'), '--backend', 'cpu', '--out']],
    [['sweep', model('small.ts'), '--vary', 'seed=0..1', '--backend', 'cpu', '--out']],
    [['export', 'RUN', '--format', 'csv', '--out']],
    [['report', 'RUN', '--out']],
    [['compare', 'RUN', 'RUN', '--out']],
  ])('of a place that cannot be written to: %s', (args) => {
    const given = args.map((arg) => (arg === 'RUN' ? at('run') : arg));
    const { code: exit, stderr } = cli([...given, at('a-file', 'x')]);
    expect([1, 2]).toContain(exit);
    requireSentence(stderr, 'a-file');
    expect(stderr).toMatch(/cannot be written|no folder/);
  });

  it('with the trace for those who ask', () => {
    expect(cli(['report', at('nothing'), '--out', at('r.html')]).stderr).not.toContain('    at ');
    expect(cli(['report', at('nothing'), '--out', at('r.html'), '--verbose']).stderr).toContain('    at ');
  });
});
