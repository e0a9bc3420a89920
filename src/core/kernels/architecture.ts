import { InputError } from '../errors.js';
import { activationNames, type DualMap, dualMap } from './activations.js';

export type Padding = 'same' | 'valid';

/** sigmaW, sigmaB (null: no bias) and what the trained weights add to the tangent kernel. */
interface Weights {
  readonly w: number;
  readonly b: number | null;
  readonly width?: number;
  /**
   * The tangent kernel gains `kernel` times the mean product of the inputs, and `bias`; takes the place of what the
   * parameterisation says, for layers of known fan-in, factors and step sizes.
   */
  readonly gains?: { readonly kernel: number; readonly bias: number };
}

export type Layer = { readonly label?: string } & Kind;
type Kind =
  | ({ readonly type: 'dense' } & Weights)
  | ({
      readonly type: 'conv';
      readonly window: readonly [number, number];
      readonly strides: readonly [number, number];
      readonly padding: Padding;
    } & Weights)
  | { readonly type: 'activation'; readonly map: DualMap; readonly linear: boolean; readonly name: string }
  | { readonly type: 'flatten' | 'globalAveragePool' }
  | {
      readonly type: 'averagePool';
      readonly window: readonly [number, number];
      readonly strides: readonly [number, number];
      readonly padding: Padding;
    }
  | {
      readonly type: 'layerNorm';
      readonly epsilon: number;
      /** Of a trained scale (starts at 1) and shift (starts at 0); absent when not trained. */
      readonly gains?: { readonly scale: number; readonly shift: number };
    }
  | { readonly type: 'residual'; readonly branch: readonly Layer[]; readonly shortcut: readonly Layer[] };

export interface Architecture {
  readonly parameterization: 'ntk' | 'standard';
  readonly layers: readonly Layer[];
}

type Fields = Readonly<Record<string, unknown>>;
const isFields = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v);

function fail(at: string, said: string): never {
  throw new InputError(`${at} ${said}`, { field: at });
}

function numberOf(at: string, f: Fields, key: string, least: number, fallback?: number): number {
  const v = f[key] ?? fallback;
  if (typeof v !== 'number' || !Number.isFinite(v) || v < least)
    fail(`${at}.${key}`, `is ${JSON.stringify(f[key])}; it must be a number of at least ${least}.`);
  return v;
}

function widthOf(at: string, f: Fields, key: string): number | undefined {
  if (f[key] === undefined) return undefined;
  const v = f[key];
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 1)
    fail(`${at}.${key}`, `is ${JSON.stringify(v)}; it must be a whole number of at least 1.`);
  return v;
}

function pairOf(at: string, f: Fields, key: string, fallback?: [number, number]): [number, number] {
  const v: unknown = f[key] ?? fallback;
  const list: unknown[] = Array.isArray(v) ? v : [v, v];
  const [a, b = 1] = list;
  const good = (x: unknown): x is number => typeof x === 'number' && Number.isInteger(x) && x >= 1;
  if (list.length > 2 || !good(a) || !good(b))
    fail(`${at}.${key}`, `is ${JSON.stringify(f[key])}; it must be two whole numbers such as [3, 3].`);
  return [a, b];
}

function paddingOf(at: string, f: Fields): Padding {
  const v = f.padding ?? 'valid';
  if (v !== 'same' && v !== 'valid')
    fail(`${at}.padding`, `is ${JSON.stringify(v)}; it must be "same" or "valid".`);
  return v;
}

function weightsOf(at: string, f: Fields): { w: number; b: number | null } {
  const b = f.sigmaB === null || f.sigmaB === undefined ? null : numberOf(at, f, 'sigmaB', 0);
  return { w: numberOf(at, f, 'sigmaW', 0), b };
}

function activationOf(at: string, v: unknown): Layer {
  let name: unknown = v;
  let parameters: unknown[] = [];
  if (isFields(v) && Object.keys(v).length === 1) {
    name = Object.keys(v)[0];
    const p = Object.values(v)[0];
    parameters = Array.isArray(p) ? p : isFields(p) ? Object.values(p) : [p];
  }
  const numbers = parameters.filter((p): p is number => typeof p === 'number' && Number.isFinite(p));
  const map =
    typeof name === 'string' && numbers.length === parameters.length ? dualMap(name, numbers) : undefined;
  if (!map)
    fail(
      `${at}.activation`,
      `is ${JSON.stringify(v)}, which has no infinite-width form here; allowed: ${activationNames.join(', ')}.`,
    );
  return { type: 'activation', map, linear: name === 'identity' || name === 'linear', name: String(name) };
}

function layerOf(v: unknown, at: string): Layer {
  if (!isFields(v) || Object.keys(v).length !== 1)
    fail(at, 'must be an object with one key, the kind of layer, such as {"dense": {"sigmaW": 1}}.');
  const [kind] = Object.keys(v);
  if (kind === 'activation') return activationOf(at, v[kind]);
  const f = v[kind];
  const here = `${at}.${kind}`;
  if (kind === 'batchNorm' || kind === 'maxPool')
    fail(here, 'has no closed form at infinite width; use layerNorm or averagePool, or remove it.');
  if (!isFields(f)) fail(here, 'must be an object with the fields of the layer, {} when it has none.');
  switch (kind) {
    case 'dense':
      return { type: 'dense', ...weightsOf(here, f), width: widthOf(here, f, 'width') };
    case 'conv':
      return {
        type: 'conv',
        ...weightsOf(here, f),
        width: widthOf(here, f, 'filters'),
        window: pairOf(here, f, 'kernel'),
        strides: pairOf(here, f, 'strides', [1, 1]),
        padding: paddingOf(here, f),
      };
    case 'averagePool': {
      const window = pairOf(here, f, 'window');
      return {
        type: 'averagePool',
        window,
        strides: pairOf(here, f, 'strides', window),
        padding: paddingOf(here, f),
      };
    }
    case 'flatten':
    case 'globalAveragePool':
      return { type: kind };
    case 'layerNorm':
      return { type: 'layerNorm', epsilon: numberOf(here, f, 'epsilon', 0, 1e-3) };
    case 'residual':
      return {
        type: 'residual',
        branch: layersOf(f.branch, `${here}.branch`),
        shortcut: layersOf(f.shortcut ?? [], `${here}.shortcut`),
      };
    default:
      return fail(
        here,
        'is no known layer; allowed: dense, conv, activation, flatten, globalAveragePool, averagePool, layerNorm, residual.',
      );
  }
}

function layersOf(v: unknown, at: string): Layer[] {
  if (!Array.isArray(v)) fail(at, 'must be a list of layers.');
  return v.map((layer, k) => layerOf(layer, `${at}[${k}]`));
}

/** What is known of the signal where the law of the units decides whether a layer has a closed form. */
interface Law {
  readonly gaussian: boolean;
  /** Fresh, independent, centred weights made it: its covariance with anything before is zero. */
  readonly fresh: boolean;
}

function lawAfter(layers: readonly Layer[], start: Law, at: string): Law {
  let law = start;
  layers.forEach((layer, k) => {
    const here = layer.label ?? `${at}[${k}]`;
    if (layer.type === 'dense' || layer.type === 'conv') law = { gaussian: true, fresh: true };
    else if (layer.type === 'activation' && !layer.linear) {
      if (!law.gaussian)
        fail(here, `(${layer.name}) has no closed form: it must follow dense, conv or a sum of such.`);
      law = { gaussian: false, fresh: false };
    } else if (layer.type === 'layerNorm' && !law.gaussian)
      fail(
        here,
        '(layerNorm) has a closed form on Gaussian pre-activations only: put it after dense or conv.',
      );
    else if (layer.type === 'flatten') law = { ...law, gaussian: false };
    else if (layer.type === 'residual') {
      const inner: Law = { gaussian: law.gaussian, fresh: false };
      const a = lawAfter(layer.branch, inner, `${here}.residual.branch`);
      const b = lawAfter(layer.shortcut, inner, `${here}.residual.shortcut`);
      if (!a.fresh && !b.fresh)
        fail(here, '(residual) sums correlated branches: end the branch or the shortcut with dense or conv.');
      // A fresh sum needs both: with an identity shortcut the sum still carries what came before.
      law = { gaussian: a.gaussian && b.gaussian, fresh: a.fresh && b.fresh };
    }
  });
  return law;
}

/** Throws InputError, naming the layer by its label or place, for arrangements without a closed form. */
export function requireClosedForm(layers: readonly Layer[]): void {
  if (layers.at(-1)?.type !== 'dense')
    fail('layers', 'must end with a dense layer, the output: without one there is no kernel of an output.');
  lawAfter(layers, { gaussian: false, fresh: false }, 'layers');
}

/**
 * Reads the contents of an ARCH.json. Throws InputError naming the layer, the field, its value and what is allowed, also
 * for arrangements without a closed form.
 */
export function parseArchitecture(json: unknown): Architecture {
  if (!isFields(json)) fail('The architecture', 'must be an object with "parameterization" and "layers".');
  const p = json.parameterization;
  if (p !== 'ntk' && p !== 'standard')
    fail('parameterization', `is ${JSON.stringify(p)}; it must be "ntk" or "standard".`);
  const layers = layersOf(json.layers, 'layers');
  requireClosedForm(layers);
  return { parameterization: p, layers };
}
