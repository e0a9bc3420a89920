import { InputError } from '../errors.js';
import { say } from '../say.js';
import { activationNames, dualMap, parametersOf } from './activations.js';
import { type Architecture, type Layer, type Padding, requireClosedForm } from './architecture.js';

type Fields = Readonly<Record<string, unknown>>;
const isFields = (v: unknown): v is Fields => typeof v === 'object' && v !== null && !Array.isArray(v);

/** Residual sums inside residual sums beyond this are a mistake, and would exhaust the stack. */
const deepest = 100;

function fail(at: string, said: string): never {
  throw new InputError(`${at} ${said}`, { field: at });
}

const shown = (v: unknown): string => {
  if (v === undefined) return say`is missing`;
  const text = JSON.stringify(v);
  return say`is ${text.length > 60 ? `${text.slice(0, 57)}...` : text}`;
};

function onlyFields(at: string, f: Fields, allowed: readonly string[]): void {
  const stray = Object.keys(f).find((key) => !allowed.includes(key));
  if (stray !== undefined)
    fail(
      `${at}.${stray}`,
      allowed.length > 0
        ? `is no field here; allowed: ${allowed.join(', ')}.`
        : 'is no field here; it takes none.',
    );
}

function numberOf(at: string, f: Fields, key: string, fallback?: number): number {
  const v = f[key] ?? fallback;
  if (typeof v !== 'number' || !Number.isFinite(v) || v < 0)
    fail(`${at}.${key}`, `${shown(f[key])}; it must be a number of at least 0.`);
  return v;
}

function widthOf(at: string, f: Fields, key: string): number | undefined {
  const v = f[key];
  if (v === undefined) return undefined;
  if (typeof v !== 'number' || !Number.isSafeInteger(v) || v < 1)
    fail(`${at}.${key}`, `${shown(v)}; it must be a whole number of at least 1.`);
  return v;
}

/** Sizes along both axes of positions; one of a list of one concerns the only axis of sequences. */
function pairOf(at: string, f: Fields, key: string, fallback?: readonly [number, number]): [number, number] {
  const v: unknown = f[key] ?? fallback;
  const list: unknown[] = Array.isArray(v) ? v : [v, v];
  const [a, b = 1] = list;
  const good = (x: unknown): x is number => typeof x === 'number' && Number.isSafeInteger(x) && x >= 1;
  if (list.length > 2 || !good(a) || !good(b))
    fail(`${at}.${key}`, `${shown(f[key])}; it must be two whole numbers of at least 1, such as [3, 3].`);
  return [a, b];
}

function paddingOf(at: string, f: Fields): Padding {
  const v = f['padding'] ?? 'valid';
  if (v !== 'same' && v !== 'valid') fail(`${at}.padding`, `${shown(v)}; it must be "same" or "valid".`);
  return v;
}

function weightsOf(at: string, f: Fields): { w: number; b: number | null } {
  const b = f['sigmaB'] === null || f['sigmaB'] === undefined ? null : numberOf(at, f, 'sigmaB');
  return { w: numberOf(at, f, 'sigmaW'), b };
}

/** The parameters of an activation: one number, a list in order, or by name. */
function numbersOf(at: string, given: unknown, names: readonly string[]): (number | undefined)[] {
  const list: unknown[] = isFields(given)
    ? names.map((name) => given[name])
    : Array.isArray(given)
      ? given
      : [given];
  if (isFields(given)) onlyFields(at, given, names);
  if (list.length > names.length)
    fail(
      at,
      names.length === 0 ? 'takes no parameters.' : `takes ${names.length} at most: ${names.join(', ')}.`,
    );
  return list.map((p, i) => {
    if (p === undefined) return undefined;
    if (typeof p !== 'number' || !Number.isFinite(p))
      fail(`${at}.${names[i]}`, `${shown(p)}; it must be a number.`);
    return p;
  });
}

function activationOf(at: string, v: unknown): Layer {
  const here = `${at}.activation`;
  const [name, given]: [unknown, unknown] =
    isFields(v) && Object.keys(v).length === 1 ? [Object.keys(v)[0], Object.values(v)[0]] : [v, {}];
  const names = typeof name === 'string' ? parametersOf(name) : undefined;
  if (typeof name !== 'string' || !names)
    fail(here, `${shown(v)}, which has no infinite-width form here; allowed: ${activationNames.join(', ')}.`);
  const map = dualMap(name, numbersOf(`${here}.${name}`, given, names));
  if (!map) fail(here, `${shown(v)}, which has no infinite-width form here.`);
  return { type: 'activation', map, linear: name === 'identity' || name === 'linear', name };
}

/** Layers that people look for, and why they are not here. */
const withoutForm: Readonly<Record<string, string>> = {
  batchNorm: 'it mixes the samples of a batch; use layerNorm, or remove it',
  batchNormalization: 'it mixes the samples of a batch; use layerNorm, or remove it',
  maxPool: 'it takes a maximum; use averagePool',
  maxPooling: 'it takes a maximum; use averagePool',
  globalMaxPool: 'it takes a maximum; use globalAveragePool',
  dropout: 'it is random while training; remove it',
  softmax: 'it mixes the outputs; leave it to the loss',
};

function layerOf(v: unknown, at: string, depth: number): Layer {
  if (!isFields(v) || Object.keys(v).length !== 1)
    fail(at, 'must be an object with one key, the kind of layer, such as {"dense": {"sigmaW": 1}}.');
  const [kind] = Object.keys(v);
  if (kind === 'activation') return activationOf(at, v[kind]);
  const f = v[kind];
  const here = `${at}.${kind}`;
  if (Object.hasOwn(withoutForm, kind))
    fail(here, `has no closed form at infinite width: ${withoutForm[kind]}.`);
  if (!isFields(f))
    fail(here, `${shown(f)}; it must be an object with the fields of the layer, {} when it has none.`);
  const fields = (...allowed: string[]) => onlyFields(here, f, allowed);
  switch (kind) {
    case 'dense':
      fields('sigmaW', 'sigmaB', 'width');
      return { type: 'dense', ...weightsOf(here, f), width: widthOf(here, f, 'width') };
    case 'conv':
      fields('kernel', 'strides', 'padding', 'sigmaW', 'sigmaB', 'filters');
      return {
        type: 'conv',
        ...weightsOf(here, f),
        width: widthOf(here, f, 'filters'),
        window: pairOf(here, f, 'kernel'),
        strides: pairOf(here, f, 'strides', [1, 1]),
        padding: paddingOf(here, f),
      };
    case 'averagePool': {
      fields('window', 'strides', 'padding');
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
      fields();
      return { type: kind };
    case 'layerNorm':
      fields('epsilon');
      return { type: 'layerNorm', epsilon: numberOf(here, f, 'epsilon', 1e-3) };
    case 'residual':
      fields('branch', 'shortcut');
      if (depth >= deepest) fail(here, `lies ${deepest} residual sums deep; that is the most.`);
      return {
        type: 'residual',
        branch: layersOf(f['branch'], `${here}.branch`, depth + 1),
        shortcut: layersOf(f['shortcut'] ?? [], `${here}.shortcut`, depth + 1),
      };
    default:
      return fail(
        here,
        'is no known layer; allowed: dense, conv, activation, flatten, globalAveragePool, averagePool, layerNorm, residual.',
      );
  }
}

function layersOf(v: unknown, at: string, depth = 0): Layer[] {
  if (!Array.isArray(v)) fail(at, `${shown(v)}; it must be a list of layers.`);
  return v.map((layer, k) => layerOf(layer, `${at}[${k}]`, depth));
}

const learning = /^(mean.?field|maximal.?update|mup|μp|µp)$/i;

/**
 * Reads the contents of an ARCH.json. Throws InputError naming the layer, the field, its value and what is allowed, also
 * for arrangements without a closed form and for parameterisations that have no kernel limit.
 */
export function parseArchitecture(json: unknown): Architecture {
  if (!isFields(json)) fail('The architecture', 'must be an object with "parameterization" and "layers".');
  const p = json['parameterization'];
  if (typeof p === 'string' && learning.test(p))
    fail(
      'parameterization',
      `is "${p}", under which features are learnt at every width: there are no infinite-width kernel dynamics. Use "ntk" or "standard".`,
    );
  if (p !== 'ntk' && p !== 'standard')
    fail('parameterization', `${shown(p)}; it must be "ntk" or "standard".`);
  onlyFields('The architecture', json, ['parameterization', 'layers', 'name', 'description']);
  const layers = layersOf(json['layers'], 'layers');
  requireClosedForm(layers);
  return { parameterization: p, layers };
}
