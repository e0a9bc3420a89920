import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { activationNames, dualMap, parametersOf } from '../../src/core/kernels/activations.js';
import { limitKernel } from '../../src/core/kernels/limit.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';
import { Random } from '../../src/core/random.js';

const dense = { dense: { sigmaW: 1.2, sigmaB: 0.1, width: 8 } };
const conv = {
  conv: { kernel: [3, 3], strides: [1, 1], padding: 'same', sigmaW: 1, sigmaB: null, filters: 4 },
};
const relu = { activation: 'relu' };
const layers = (...list: unknown[]) => ({ parameterization: 'ntk', layers: list });

describe('ARCH.json', () => {
  it.each<[string, unknown, RegExp]>([
    ['no object', null, /must be an object with "parameterization" and "layers"/],
    ['a list', [], /must be an object/],
    [
      'no parameterisation',
      { layers: [dense] },
      /^parameterization is missing; it must be "ntk" or "standard"/,
    ],
    ['another parameterisation', { parameterization: 'NTK', layers: [dense] }, /is "NTK"/],
    [
      'mean-field',
      { parameterization: 'mean-field', layers: [dense] },
      /features are learnt.*no infinite-width kernel/,
    ],
    ['maximal update', { parameterization: 'maximal-update', layers: [dense] }, /features are learnt/],
    ['mup', { parameterization: 'muP', layers: [dense] }, /features are learnt/],
    [
      'an unknown field at the top',
      { ...layers(dense), depth: 3 },
      /depth is no field here; allowed: parameterization, layers/,
    ],
    ['no layers', { parameterization: 'ntk' }, /^layers is missing; it must be a list/],
    ['an object of layers', { parameterization: 'ntk', layers: dense }, /layers is \{"dense".*a list/],
    ['an empty list', layers(), /must end with a dense layer/],
    ['no final dense', layers(dense, relu), /must end with a dense layer, the output/],
    ['a final pooling', layers(conv, relu, { globalAveragePool: {} }), /must end with a dense/],
    ['a layer that is text', layers('dense'), /^layers\[0\] must be an object with one key/],
    ['two kinds in one', layers({ ...dense, ...relu }), /layers\[0\] must be an object with one key/],
    [
      'an unknown layer',
      layers({ attention: {} }, dense),
      /layers\[0\]\.attention is no known layer; allowed: dense/,
    ],
    [
      'max pooling',
      layers(conv, { maxPool: { window: [2, 2] } }, dense),
      /maxPool has no closed form.*averagePool/,
    ],
    [
      'batch normalisation',
      layers(dense, { batchNorm: {} }, dense),
      /batchNorm has no closed form.*layerNorm/,
    ],
    ['fields that are a number', layers({ dense: 3 }), /layers\[0\]\.dense is 3; it must be an object/],
    ['no sigmaW', layers({ dense: { sigmaB: 0 } }), /layers\[0\]\.dense\.sigmaW is missing; .*at least 0/],
    ['a negative sigmaW', layers({ dense: { sigmaW: -1 } }), /sigmaW is -1/],
    ['sigmaW that is text', layers({ dense: { sigmaW: '1' } }), /sigmaW is "1"/],
    ['a negative sigmaB', layers({ dense: { sigmaW: 1, sigmaB: -0.1 } }), /sigmaB is -0\.1/],
    [
      'a misspelt field',
      layers({ dense: { sigmaW: 1, sigma_b: 1 } }),
      /dense\.sigma_b is no field here; allowed: sigmaW, sigmaB, width/,
    ],
    ['half a unit', layers({ dense: { sigmaW: 1, width: 2.5 } }), /width is 2\.5; it must be a whole number/],
    ['no kernel', layers({ conv: { sigmaW: 1 } }, dense), /conv\.kernel is missing; .*two whole numbers/],
    ['three sizes', layers({ conv: { sigmaW: 1, kernel: [3, 3, 3] } }, dense), /kernel is \[3,3,3\]/],
    ['a size of zero', layers({ conv: { sigmaW: 1, kernel: [0, 3] } }, dense), /kernel is \[0,3\]/],
    ['a stride of zero', layers({ conv: { sigmaW: 1, kernel: 3, strides: 0 } }, dense), /strides is 0/],
    [
      'another padding',
      layers({ conv: { sigmaW: 1, kernel: 3, padding: 'SAME' } }, dense),
      /padding is "SAME"; .*"same" or "valid"/,
    ],
    ['no filters', layers({ conv: { sigmaW: 1, kernel: 3, filters: 0 } }, dense), /filters is 0/],
    ['no window', layers(conv, { averagePool: {} }, dense), /averagePool\.window is missing/],
    [
      'fields of flatten',
      layers({ flatten: { axis: 1 } }, dense),
      /flatten\.axis is no field here; it takes none/,
    ],
    ['a negative epsilon', layers(dense, { layerNorm: { epsilon: -1 } }, dense), /epsilon is -1/],
    ['no branch', layers(dense, { residual: {} }, dense), /residual\.branch is missing/],
    [
      'a bad layer in a branch',
      layers(dense, { residual: { branch: [{ conv: {} }] } }, dense),
      /layers\[1\]\.residual\.branch\[0\]\.conv/,
    ],
    [
      'no activation of that name',
      layers(dense, { activation: 'elu' }, dense),
      /activation is "elu".*allowed: relu/,
    ],
    ['an inherited name', layers(dense, { activation: 'constructor' }, dense), /activation is "constructor"/],
    [
      'parameters of relu',
      layers(dense, { activation: { relu: 1 } }, dense),
      /activation\.relu takes no parameters/,
    ],
    [
      'too many parameters',
      layers(dense, { activation: { leakyRelu: [1, 2] } }, dense),
      /leakyRelu takes 1 at most: alpha/,
    ],
    [
      'a parameter that is text',
      layers(dense, { activation: { leakyRelu: 'x' } }, dense),
      /leakyRelu\.alpha is "x"/,
    ],
    [
      'a parameter by another name',
      layers(dense, { activation: { erf: { d: 1 } } }, dense),
      /erf\.d is no field/,
    ],
    [
      'layer norm on what is not Gaussian',
      layers(dense, relu, { layerNorm: {} }, dense),
      /layers\[2\].*Gaussian/,
    ],
    ['layer norm of the inputs', layers({ layerNorm: {} }, dense), /layers\[0\].*Gaussian/],
    ['two activations in a row', layers(dense, relu, relu, dense), /layers\[2\] \(relu\) has no closed form/],
    [
      'a sum of correlated branches',
      layers(dense, { residual: { branch: [relu], shortcut: [] } }, dense),
      /correlated branches/,
    ],
  ])('refuses %s with a sentence', (_name, json, said) => {
    expect(() => parseArchitecture(json)).toThrow(InputError);
    expect(() => parseArchitecture(json)).toThrow(said);
  });

  it.each<[string, unknown, number[], RegExp]>([
    ['positions left over', layers(conv, relu, dense), [2, 4, 4, 2], /4 x 4 positions; put flatten/],
    [
      'a window that is too large',
      layers({ conv: { kernel: 5, sigmaW: 1 } }, { flatten: {} }, dense),
      [2, 4, 4, 2],
      /5 x 5 is larger than its input of 4 x 4/,
    ],
    [
      'a square window on sequences',
      layers({ conv: { kernel: 3, sigmaW: 1, padding: 'same' } }, { flatten: {} }, dense),
      [2, 6, 2],
      /one axis of positions.*\[3\]/,
    ],
    [
      'clashing branches',
      layers(dense, { residual: { branch: [{ dense: { sigmaW: 1, width: 5 } }], shortcut: [] } }, dense),
      [2, 3],
      /5 from its branch and 1 x 1 x 8 from its shortcut/,
    ],
    [
      'variances that overflow',
      layers({ dense: { sigmaW: 1e200 } }, relu, dense),
      [2, 3],
      /variances overflow/,
    ],
    [
      'a width the standard form needs',
      { parameterization: 'standard', layers: [{ dense: { sigmaW: 1 } }, relu, dense] },
      [2, 3],
      /has no width.*Give every hidden layer one/,
    ],
    ['inputs of too many axes', layers(dense), [2, 3, 3, 3, 3], /must be \[N, d\]/],
  ])('meets inputs with %s', (_name, json, shape, said) => {
    const x = { shape, data: new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(1) };
    const compute = () => limitKernel(parseArchitecture(json), x, null, { kind: 'ntk' });
    expect(compute).toThrow(InputError);
    expect(compute).toThrow(said);
  });

  it('never answers a damaged file with anything but a finite kernel or a sentence', () => {
    const random = new Random('damage');
    const whole = layers(
      conv,
      { layerNorm: { epsilon: 0.01 } },
      { activation: { leakyRelu: 0.1 } },
      { averagePool: { window: [2, 2], strides: [2, 2], padding: 'same' } },
      { conv: { kernel: [2, 2], padding: 'valid', sigmaW: 1.4, sigmaB: 0.2, filters: 4 } },
      {
        residual: {
          branch: [relu, { conv: { kernel: 3, padding: 'same', sigmaW: 1, sigmaB: 0, filters: 4 } }],
          shortcut: [],
        },
      },
      { activation: { erf: [1, 0.7, 0] } },
      { globalAveragePool: {} },
      dense,
    );
    const x = { shape: [2, 5, 5, 2], data: Float64Array.from(random.normals(100)) };
    const junk: readonly unknown[] = [
      null,
      -1,
      0,
      1e308,
      2.5,
      'same',
      'relu',
      '',
      [],
      [1, 2, 3],
      {},
      true,
      'ntk',
      relu,
      dense,
      [dense],
    ];
    const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)];
    const damaged = (v: unknown, chance: number): unknown => {
      if (random.uniform() < chance) return pick(junk);
      if (Array.isArray(v))
        return v.filter(() => random.uniform() > chance / 3).map((w) => damaged(w, chance));
      if (typeof v !== 'object' || v === null) return v;
      return Object.fromEntries(
        Object.entries(v)
          .filter(() => random.uniform() > chance / 3)
          .map(([key, w]) => [random.uniform() < chance / 3 ? `${key}s` : key, damaged(w, chance)]),
      );
    };
    let refused = 0;
    for (let trial = 0; trial < 1500; trial++) {
      const json = damaged(whole, pick([0.01, 0.03, 0.1]));
      try {
        const k = limitKernel(parseArchitecture(json), x, null, { kind: pick(['ntk', 'nngp'] as const) });
        expect(k.data.every(Number.isFinite)).toBe(true);
      } catch (error) {
        expect(error, JSON.stringify(json)).toBeInstanceOf(InputError);
        expect((error as Error).message).toMatch(/\.$/);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(300);
    expect(refused).toBeLessThan(1450);
  });

  it('takes parameters as a number, in order or by name', () => {
    const kernel = (activation: unknown) =>
      limitKernel(
        parseArchitecture(layers(dense, { activation }, dense)),
        { shape: [2, 2], data: Float64Array.of(1, 2, -1, 0.5) },
        null,
        { kind: 'ntk' },
      ).data;
    expect(kernel({ leakyRelu: { alpha: 0.2 } })).toEqual(kernel({ leakyRelu: 0.2 }));
    expect(kernel({ erf: { c: 0.3 } })).toEqual(kernel({ erf: [1, 1, 0.3] }));
    expect(kernel({ relu: {} })).toEqual(kernel('relu'));
    expect(kernel('swish')).toEqual(kernel('silu'));
    expect(kernel({ leakyRelu: [] })).toEqual(kernel({ leakyRelu: 0.3 }));
  });

  it('knows every activation with defaults for its parameters, D being the slope of T in K12', () => {
    const out = new Float64Array(2);
    for (const name of activationNames) {
      expect(parametersOf(name)).toBeDefined();
      const map = dualMap(name);
      const at = (k12: number) => {
        map?.(0.9, k12, 0.6, out);
        return [...out];
      };
      // Price's theorem: dT / dK12 = D.
      const h = 1e-5;
      const slope = (at(0.3 + h)[0] - at(0.3 - h)[0]) / (2 * h);
      expect(Math.abs(slope - at(0.3)[1]), name).toBeLessThan(1e-7);
    }
  });
});
