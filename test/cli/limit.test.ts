import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy, encodeNpy, toFloat64 } from '../../src/core/npy.js';
import { cli } from '../helpers/cli.js';
import { golden, model, readJson, temporaryFolder } from '../helpers/folders.js';

type Nested = number | Nested[];
interface Golden {
  readonly X_train: Nested;
  readonly X_test: Nested;
  readonly records: {
    readonly net?: string;
    readonly parameterization: 'ntk' | 'standard';
    readonly W_std: number;
    readonly b_std: number | null;
    readonly nngp: Nested;
    readonly ntk: Nested;
    readonly ntk_test_train: Nested;
  }[];
}
const flat = (v: Nested): number[] => (typeof v === 'number' ? [v] : v.flatMap(flat));
const shapeOf = (v: Nested): number[] => (typeof v === 'number' ? [] : [v.length, ...shapeOf(v[0])]);

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
});
afterAll(() => place.clean());
const at = (name: string) => path.join(place.path, name);
const write = (name: string, v: Nested) => {
  writeFileSync(at(name), encodeNpy(Float64Array.from(flat(v)), shapeOf(v)));
  return at(name);
};
const arch = (json: unknown) => {
  writeFileSync(at('arch.json'), JSON.stringify(json));
  return at('arch.json');
};
const read = (name: string) => decodeNpy(readFileSync(at(name)), name);
const gap = (a: ArrayLike<number>, b: number[]) => {
  expect(a.length).toBe(b.length);
  return Math.max(...b.map((w, i) => Math.abs(a[i] - w))) / Math.max(...b.map(Math.abs));
};

describe('kernelscope limit', () => {
  it('gives the reference values of a strided convolution, both kinds, square and rectangle, in float64', () => {
    const g = readJson<Golden>(golden('conv.json'));
    const record = g.records.find((r) => r.net?.startsWith('conv3s2') && r.parameterization === 'standard');
    if (!record) throw new Error('The record is gone.');
    const conv = {
      conv: {
        kernel: [3, 3],
        strides: [2, 2],
        padding: 'same',
        sigmaW: record.W_std,
        sigmaB: record.b_std,
        filters: 8,
      },
    };
    const relu = { activation: 'relu' };
    const dense = { dense: { sigmaW: record.W_std, sigmaB: record.b_std } };
    const file = arch({
      parameterization: 'standard',
      layers: [conv, relu, conv, relu, { flatten: {} }, dense],
    });
    const [train, test] = [write('x.npy', g.X_train), write('t.npy', g.X_test)];
    const run = (...more: string[]) => {
      expect(cli(['limit', file, '--out', at('k.npy'), ...more])).toEqual({
        code: 0,
        stdout: '',
        stderr: '',
      });
      return read('k.npy');
    };
    const nngp = run('--probe', train, '--kind', 'nngp');
    expect(nngp.type).toBe('f8');
    expect(gap(toFloat64(nngp), flat(record.nngp))).toBeLessThan(1e-7);
    expect(gap(toFloat64(run('--probe', train)), flat(record.ntk))).toBeLessThan(1e-7);
    const rectangle = run('--probe', test, '--probe2', train, '--kind', 'ntk');
    expect(rectangle.shape).toEqual([shapeOf(g.X_test)[0], shapeOf(g.X_train)[0]]);
    expect(gap(toFloat64(rectangle), flat(record.ntk_test_train))).toBeLessThan(1e-7);
  });

  it('reads the architecture of a model file, and takes its probe inputs', () => {
    const run = (...args: string[]) => {
      const result = cli(['limit', ...args, '--out', at('m.npy'), '--backend', 'wasm']);
      expect(result.stderr).toBe('');
      expect(result.code).toBe(0);
      return read('m.npy');
    };
    expect(run(model('small.ts')).shape).toEqual([24, 24]);
    const x = write('five.npy', [
      [1, 0, 0.5, -1, 2],
      [0, 1, -0.5, 1, 1],
    ]);
    // tanh2.ts: dense layers of 5-16-3 with glorot weights; see the file.
    expect(run(model('tanh2.ts'), '--probe', x).shape).toEqual([2, 2]);
    expect(
      run(
        model('convGap.mjs'),
        '--probe',
        write('im.npy', [[...Array(6)].map(() => [...Array(6)].map(() => [1, -1]))]),
        '--kind',
        'nngp',
      ).shape,
    ).toEqual([1, 1]);
  });

  const dense = { dense: { sigmaW: 1, sigmaB: 0, width: 4 } };
  const of = (...layers: unknown[]) => ({ parameterization: 'ntk', layers });
  it.each<[string, unknown, string[], RegExp]>([
    ['max pooling', of({ maxPool: { window: 2 } }, dense), [], /no closed form/],
    ['batch norm', of(dense, { batchNorm: {} }, dense), [], /no closed form/],
    ['no final dense', of(dense, { activation: 'relu' }), [], /must end with a dense/],
    ['layer norm on relu', of(dense, { activation: 'relu' }, { layerNorm: {} }, dense), [], /Gaussian/],
    [
      'correlated branches',
      of(dense, { residual: { branch: [{ activation: 'relu' }], shortcut: [] } }, dense),
      [],
      /correlated/,
    ],
    ['mean-field', { parameterization: 'mean-field', layers: [dense] }, [], /features are learnt/],
    ['a wrong kind', of(dense), ['--kind', 'both'], /nngp or ntk/],
    [
      'a folder that is not there',
      of(dense),
      ['--out', 'nowhere/k.npy'],
      /cannot be written.*existing folder/,
    ],
    ['inputs that are not there', of(dense), ['--probe', 'nowhere.npy'], /nowhere\.npy cannot be read/],
    ['other second inputs', of(dense), ['--probe2', 'wide.npy'], /second inputs have shape \[1, 3\]/],
    ['inputs that are not finite', of(dense), ['--probe', 'nan.npy'], /not finite/],
    ['an unknown option', of(dense), ['--width', '3'], /unknown option/],
  ])('refuses %s with exit code 2 and one sentence', (_name, json, more, said) => {
    arch(json);
    write('p.npy', [[1, 2]]);
    write('wide.npy', [[1, 2, 3]]);
    write('nan.npy', [[1, Number.NaN]]);
    const result = cli(['limit', 'arch.json', '--probe', 'p.npy', '--out', 'k.npy', ...more], place.path);
    expect(result.code).toBe(2);
    expect(result.stderr).toMatch(said);
    expect(result.stderr).not.toMatch(/at .*\.js:\d+/);
  });

  it('refuses inputs that the model does not take', () => {
    write('p.npy', [[1, 2]]);
    const result = cli([
      'limit',
      model('tanh2.ts'),
      '--probe',
      at('p.npy'),
      '--out',
      at('k.npy'),
      '--backend',
      'wasm',
    ]);
    expect(result).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/inputs of shape \[2\], but the model takes \[5\]/),
    });
  });

  it('refuses what is not JSON, a missing probe, and models without a limit', () => {
    writeFileSync(at('broken.json'), '{"layers": [');
    expect(cli(['limit', at('broken.json'), '--probe', 'x', '--out', 'k.npy'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('is not valid JSON'),
    });
    expect(cli(['limit', arch(of(dense)), '--out', at('k.npy')])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--probe X.npy'),
    });
    expect(
      cli([
        'limit',
        model('small.ts'),
        '--set',
        'model.scale=mean-field',
        '--out',
        at('k.npy'),
        '--backend',
        'wasm',
      ]),
    ).toMatchObject({ code: 2, stderr: expect.stringContaining('features are learnt') });
  });
});
