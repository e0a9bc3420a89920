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

const named: Readonly<Record<string, (p: readonly number[]) => DualMap>> = {
  relu: () => piecewise(0, 1),
  leakyRelu: ([a = 0.3]) => piecewise(a, 1),
  abRelu: ([a = 0, b = 1]) => piecewise(a, b),
  abs: () => piecewise(-1, 1),
  erf: ([a, b, c]) => erf(a, b, c),
  sigmoidLike: () => erf(0.5, 1 / 2.4020563531719796, 0.5),
  sin: ([a, b, c]) => sine(a, b, c),
  cos: ([a = 1, b = 1, c = 0]) => sine(a, b, c + Math.PI / 2),
  rbf: ([gamma = 1]) => sine(Math.SQRT2, Math.sqrt(2 * gamma), Math.PI / 4),
  exp: ([a, b]) => exponential(a, b),
  gelu: () => gelu,
  identity: () => linear,
  linear: () => linear,
};

/** Names that `dualMap` knows. */
export const activationNames: readonly string[] = [...Object.keys(named), ...Object.keys(smoothMaps)];

/** The maps (T, D) of an activation with its parameters; undefined for a name without one. */
export function dualMap(name: string, parameters: readonly number[] = []): DualMap | undefined {
  if (Object.hasOwn(named, name)) return named[name](parameters);
  return Object.hasOwn(smoothMaps, name) ? smoothMaps[name]() : undefined;
}
