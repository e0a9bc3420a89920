import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { dualMap } from '../../src/core/kernels/activations.js';
import { type Inputs, limitKernel } from '../../src/core/kernels/limit.js';
import { parseArchitecture } from '../../src/core/kernels/readArchitecture.js';

type Nested = number | Nested[];
interface Entry {
  readonly net: string;
  readonly act: string;
  readonly activation: string;
  readonly input?: string;
  readonly depth: number;
  readonly hidden_layers: number;
  readonly parameterization?: 'ntk' | 'standard';
  readonly W_std: number;
  readonly b_std: number | null;
  readonly sigma_w: number;
  readonly sigma_b: number;
  readonly nngp: Nested;
  readonly ntk: Nested;
  readonly ntk_by_width?: Record<string, Nested>;
  readonly nngp_test_train?: Nested;
  readonly ntk_test_train?: Nested;
}
type Golden = Record<string, Nested> & { readonly records: Entry[]; readonly cases: Entry[] };

const golden = (name: string): Golden =>
  JSON.parse(readFileSync(new URL(`./values/${name}.json`, import.meta.url), 'utf8'));
const flat = (v: Nested): number[] => (typeof v === 'number' ? [v] : v.flatMap(flat));
function inputs(v: Nested): Inputs {
  const shape: number[] = [];
  for (let at = v; typeof at !== 'number'; at = at[0]) shape.push(at.length);
  return { shape, data: Float64Array.from(flat(v)) };
}
function agree(actual: ArrayLike<number>, expected: Nested, tolerance: number): void {
  const want = flat(expected);
  expect(actual.length).toBe(want.length);
  const scale = Math.max(...want.map(Math.abs));
  want.forEach((w, i) => {
    expect(Math.abs(actual[i] - w)).toBeLessThanOrEqual(tolerance * scale);
  });
}

interface Setting {
  readonly p: 'ntk' | 'standard';
  readonly sigmaW: number;
  readonly sigmaB: number | null;
  readonly width: number;
}
const of = (r: Entry, p: Setting['p'], width = 64): Setting => ({
  p: r.parameterization ?? p,
  sigmaW: r.W_std,
  sigmaB: r.b_std,
  width,
});
function network(net: string, s: Setting): unknown {
  const dense = { dense: { sigmaW: s.sigmaW, sigmaB: s.sigmaB, width: s.width } };
  const layers = net.split(/;|-(?=[a-z])/).map((part): unknown => {
    const token = part.trim();
    const conv = /^conv(\d)s(\d)(same|valid)$/.exec(token);
    if (conv) {
      const [k, stride] = [Number(conv[1]), Number(conv[2])];
      return {
        conv: {
          kernel: [k, k],
          strides: [stride, stride],
          padding: conv[3],
          sigmaW: s.sigmaW,
          sigmaB: s.sigmaB,
          filters: 8,
        },
      };
    }
    if (token === 'dense') return dense;
    if (token === 'flatten') return { flatten: {} };
    if (token === 'gap') return { globalAveragePool: {} };
    if (token.startsWith('layernorm')) return { layerNorm: { epsilon: 1e-3 } };
    if (token.startsWith('2x residual')) {
      const relu = { activation: 'relu' };
      return { residual: { branch: [relu, dense, relu, dense], shortcut: [] } };
    }
    const slope = /^leaky_relu_(.*)$/.exec(token);
    return { activation: slope ? { leakyRelu: Number(slope[1]) } : token };
  });
  const twice = layers.flatMap((l) => (JSON.stringify(l).startsWith('{"residual') ? [l, l] : [l]));
  return { parameterization: s.p, layers: twice };
}
function check(net: string, s: Setting, g: Entry, x: Inputs, test: Inputs | null, ntk = g.ntk): void {
  const arch = parseArchitecture(network(net, s));
  const smooth = /relu/.test(net) && !/leaky/.test(net);
  const tolerance = smooth || /leaky/.test(net) ? 1e-7 : 1e-10;
  agree(limitKernel(arch, x, null, { kind: 'nngp' }).data, g.nngp, tolerance);
  agree(limitKernel(arch, x, null, { kind: 'ntk' }).data, ntk, tolerance);
  if (!test || !g.nngp_test_train || !g.ntk_test_train) return;
  agree(limitKernel(arch, test, x, { kind: 'nngp' }).data, g.nngp_test_train, tolerance);
  agree(limitKernel(arch, test, x, { kind: 'ntk' }).data, g.ntk_test_train, tolerance);
}
const stack = (act: string, depth: number): string => `${`dense;${act};`.repeat(depth)}dense`;

describe('infinite-width kernels against reference values', () => {
  const fc = golden('fc_kernels');
  it.each(fc.cases.map((c, k) => [k, c] as const))('dense case %i', (_k, c) => {
    const s = { p: c.parameterization ?? 'ntk', sigmaW: c.sigma_w, sigmaB: c.sigma_b };
    for (const [width, ntk] of Object.entries(c.ntk_by_width ?? { '64': c.ntk }))
      check(stack(c.activation, c.hidden_layers), { ...s, width: Number(width) }, c, inputs(fc.X), null, ntk);
  });
  for (const [file, p] of [
    ['dense_ntk_parameterization', 'ntk'],
    ['dense_standard_parameterization', 'standard'],
    ['dense_smooth', 'ntk'],
  ] as const) {
    const g = golden(file);
    const test = g.X_test ? inputs(g.X_test) : null;
    it.each(g.records.map((r) => [r.act, r.depth, r] as const))(`${file} %s depth %i`, (act, depth, r) => {
      check(stack(act, depth), of(r, p), r, inputs(g.X_train), test);
    });
  }
  const conv = golden('conv');
  it.each(conv.records.map((r) => [r.net, r.parameterization, r] as const))('%s %s', (net, _p, r) => {
    check(net, of(r, 'ntk'), r, inputs(conv.X_train), inputs(conv.X_test));
  });
  const residual = golden('residual_layernorm');
  it.each(residual.records.map((r) => [r.net, r.parameterization, r] as const))('%s %s', (net, _p, r) => {
    check(net, of(r, 'ntk'), r, inputs(residual[r.input ?? 'X_dense']), null);
  });
});

describe('activation maps', () => {
  const points: Record<string, { K11: number; K12: number; K22: number; T: number; Tdot: number }[]> =
    JSON.parse(readFileSync(new URL('./values/activation_maps.json', import.meta.url), 'utf8'));
  it.each(Object.keys(points))('%s', (name) => {
    const map = name === 'leaky_relu_0_2' ? dualMap('leakyRelu', [0.2]) : dualMap(name);
    const tolerance = name === 'tanh' ? 1e-6 : /sigmoid|softplus|silu/.test(name) ? 1e-8 : 1e-12;
    const out = new Float64Array(2);
    for (const p of points[name]) {
      map?.(p.K11, p.K12, p.K22, out);
      expect(Math.abs(out[0] - p.T)).toBeLessThan(tolerance * Math.max(1, Math.abs(p.T)));
      expect(Math.abs(out[1] - p.Tdot)).toBeLessThan(tolerance * Math.max(1, Math.abs(p.Tdot)));
    }
  });
});

describe('arrangements without a closed form', () => {
  const dense = { dense: { sigmaW: 1, sigmaB: 0 } };
  const refuse = (layers: unknown[]): (() => unknown) => {
    return () => parseArchitecture({ parameterization: 'ntk', layers });
  };
  it('are refused with the layer and the reason', () => {
    const relu = { activation: 'relu' };
    expect(refuse([dense, relu])).toThrow(/end with a dense/);
    expect(refuse([dense, relu, { layerNorm: { epsilon: 0.1 } }, dense])).toThrow(/layers\[2\].*Gaussian/);
    expect(refuse([dense, { residual: { branch: [relu], shortcut: [] } }, dense])).toThrow(/correlated/);
    expect(refuse([{ batchNorm: {} }, dense])).toThrow(/layers\[0\]\.batchNorm has no closed form/);
    expect(refuse([{ dense: { sigmaW: -1 } }])).toThrow(/sigmaW is -1/);
  });
});
