import { smoothMaps } from './smooth.js';

/** Writes T = E[phi(u) phi(v)] to out[0] and D = E[phi'(u) phi'(v)] to out[1]. */
export type DualMap = (k11: number, k12: number, k22: number, out: Float64Array) => void;

const clip = (x: number): number => Math.max(-1, Math.min(1, x));

/** Slopes a below and b above zero; a = 0, b = 1 is the arc-cosine kernel of Cho and Saul (2009). */
function piecewise(a: number, b: number): DualMap {
  return (k11, k12, k22, out) => {
    const s = Math.sqrt(k11 * k22);
    // At a variance of zero the kernel's limit is 0 and the angle has no meaning; a right angle is the convention.
    const c = s > 0 ? clip(k12 / s) : 0;
    const t = Math.acos(c);
    const gap = (b - a) ** 2;
    out[0] = s === 0 ? 0 : (gap * s * (Math.sin(t) + (Math.PI - t) * c)) / (2 * Math.PI) + a * b * c * s;
    out[1] = (gap * (Math.PI - t)) / (2 * Math.PI) + a * b;
  };
}

/** A erf(B x) + C (Williams 1997). */
function erf(A = 1, B = 1, C = 0): DualMap {
  return (k11, k12, k22, out) => {
    const b = B * B;
    const q = (1 + 2 * b * k11) * (1 + 2 * b * k22);
    const x = 2 * b * k12;
    out[0] = (A * A * 2 * Math.asin(clip(x / Math.sqrt(q)))) / Math.PI + C * C;
    out[1] = (A * A * b * 4) / (Math.PI * Math.sqrt(q - x * x));
  };
}

/** A sin(B x + C). */
function sine(A = 1, B = 1, C = 0): DualMap {
  return (k11, k12, k22, out) => {
    const b = B * B;
    const minus = Math.exp(b * (k12 - (k11 + k22) / 2)) / 2;
    const plus = (Math.exp(-b * (k12 + (k11 + k22) / 2)) / 2) * Math.cos(2 * C);
    out[0] = A * A * (minus - plus);
    out[1] = A * A * b * (minus + plus);
  };
}

/** A exp(B x). */
function exponential(A = 1, B = 1): DualMap {
  return (k11, k12, k22, out) => {
    out[0] = A * A * Math.exp(B * B * ((k11 + k22) / 2 + k12));
    out[1] = B * B * out[0];
  };
}

const gelu: DualMap = (k11, k12, k22, out) => {
  const p = (1 + k11) * (1 + k22);
  const q = p - k12 * k12;
  const f = 0.25 + Math.asin(clip(k12 / Math.sqrt(p))) / (2 * Math.PI);
  const g = 1 / (2 * Math.PI * Math.sqrt(q));
  const u = (-k12 * g) / (1 + k11);
  const v = (-k12 * g) / (1 + k22);
  out[0] = k12 * f + k11 * k12 * u + (k11 * k22 + k12 * k12) * g + k12 * k22 * v;
  out[1] = f - u - v + (g * k12) / q;
};

const linear: DualMap = (_k11, k12, _k22, out) => {
  out[0] = k12;
  out[1] = 1;
};

/** A exp(-B x^2). */
function gaussian(A = 1, B = 1): DualMap {
  return (k11, k12, k22, out) => {
    const x = 2 * B * k12;
    const det = (1 + 2 * B * k11) * (1 + 2 * B * k22) - x * x;
    out[0] = (A * A) / Math.sqrt(det);
    out[1] = (2 * B * x * out[0]) / det;
  };
}

interface Named {
  /** Names of the parameters, in order; each has a default. */
  readonly parameters: readonly string[];
  readonly map: (p: readonly (number | undefined)[]) => DualMap;
}
const plain = (map: DualMap): Named => ({ parameters: [], map: () => map });

const named: Readonly<Record<string, Named>> = {
  relu: plain(piecewise(0, 1)),
  leakyRelu: { parameters: ['alpha'], map: ([a = 0.3]) => piecewise(a, 1) },
  abRelu: { parameters: ['a', 'b'], map: ([a = 0, b = 1]) => piecewise(a, b) },
  abs: plain(piecewise(-1, 1)),
  erf: { parameters: ['a', 'b', 'c'], map: ([a, b, c]) => erf(a, b, c) },
  sigmoidLike: plain(erf(0.5, 1 / 2.4020563531719796, 0.5)),
  sin: { parameters: ['a', 'b', 'c'], map: ([a, b, c]) => sine(a, b, c) },
  cos: { parameters: ['a', 'b', 'c'], map: ([a = 1, b = 1, c = 0]) => sine(a, b, c + Math.PI / 2) },
  rbf: {
    parameters: ['gamma'],
    map: ([gamma = 1]) => sine(Math.SQRT2, Math.sqrt(2 * gamma), Math.PI / 4),
  },
  exp: { parameters: ['a', 'b'], map: ([a, b]) => exponential(a, b) },
  gaussian: { parameters: ['a', 'b'], map: ([a, b]) => gaussian(a, b) },
  gelu: plain(gelu),
  identity: plain(linear),
  linear: plain(linear),
  ...Object.fromEntries(
    Object.entries(smoothMaps).map(([name, make]) => [name, { parameters: [], map: make }]),
  ),
  swish: { parameters: [], map: smoothMaps['silu'] },
};

/**
 * Names that `dualMap` knows: A erf(B x) + C, A sin(B x + C) and their like take parameters, erf(x) and so on being the
 * defaults; `rbf` is the feature map of the Gaussian kernel, `gaussian` A exp(-B x^2).
 */
export const activationNames: readonly string[] = Object.keys(named);

/** Names of an activation's parameters, in order; undefined for a name without a map. */
export function parametersOf(name: string): readonly string[] | undefined {
  return Object.hasOwn(named, name) ? named[name].parameters : undefined;
}

/**
 * The maps T = E[phi(u) phi(v)] and D = E[phi'(u) phi'(v)] of an activation, (u, v) normal with covariance K11, K12, K22
 * (Cho and Saul 2009, Williams 1997); undefined for a name without one. Absent parameters take their defaults.
 */
export function dualMap(name: string, parameters: readonly (number | undefined)[] = []): DualMap | undefined {
  return Object.hasOwn(named, name) ? named[name].map(parameters) : undefined;
}
