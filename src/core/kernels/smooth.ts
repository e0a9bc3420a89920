import { logisticMixture } from './logistic.js';

const { weights, variances } = logisticMixture;
const count = weights.length;
const longest = 512;
const negligible = 1e-17;
const storedAtMost = 2 ** 21;
const twoPi = 2 * Math.PI;

/**
 * phi(sqrt(K) z) in normalised Hermite polynomials. With n = 2m: the terms of phi' (`odd` kinds), or those of phi at n + 2
 * over K (`even` kinds); their signs, which drop out of the products of two, are left out.
 */
interface Expansion {
  readonly mean: number;
  readonly terms: Float64Array;
  /** The terms left out are negligible. */
  readonly complete: boolean;
}

type Pair = (k11: number, k12: number, k22: number, out: Float64Array) => void;
interface Kind {
  /** Whether phi less its mean is odd, or is even but for a part x / 2. */
  readonly symmetry: 'odd' | 'even';
  readonly mean: (K: number) => number;
  /** From c_n and c_(n+2), the sizes of the coefficients of sigma'(sqrt(K) z). */
  readonly term: (n: number, c: number, next: number) => number;
  /** The sum over pairs of mixture components: slower, and good at every variance and correlation. */
  readonly pair: Pair;
}

function rampMean(K: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[i] * Math.sqrt((K + variances[i]) / twoPi);
  return sum;
}

function densityMean(K: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += weights[i] / Math.sqrt(twoPi * (K + variances[i]));
  return sum;
}

/** Calls `at` with the weight, both raised variances, the root of the determinant and the angle, for every pair. */
function eachComponent(
  k11: number,
  k12: number,
  k22: number,
  at: (w: number, i: number, j: number, A: number, B: number, root: number, angle: number) => void,
): void {
  const rest = Math.max(0, k11 * k22 - k12 * k12);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++) {
      const s = variances[i];
      const t = variances[j];
      const root = Math.sqrt(rest + k11 * t + k22 * s + s * t);
      at(weights[i] * weights[j], s, t, k11 + s, k22 + t, root, Math.atan2(k12, root));
    }
}

const centredSigmoid: Kind = {
  symmetry: 'odd',
  mean: () => 0,
  term: (_n, c) => c,
  pair: (k11, k12, k22, out) => {
    let T = 0;
    let D = 0;
    eachComponent(k11, k12, k22, (w, _s, _t, _A, _B, root, angle) => {
      T += w * angle;
      D += w / root;
    });
    out[0] = T / twoPi;
    out[1] = D / twoPi;
  },
};

// The average of the ramp over a Gaussian: the arc-cosine kernel of Cho and Saul (2009) with raised variances.
const softplus: Kind = {
  symmetry: 'even',
  mean: rampMean,
  term: (n, c) => c / Math.sqrt((n + 2) * (n + 1)),
  pair: (k11, k12, k22, out) => {
    let T = 0;
    let D = 0;
    eachComponent(k11, k12, k22, (w, _s, _t, _A, _B, root, angle) => {
      T += w * (root + k12 * angle);
      D += w * angle;
    });
    out[0] = k12 / 4 + T / twoPi;
    out[1] = 0.25 + D / twoPi;
  },
};

// x Phi(x / sqrt(tau)) is the averaged ramp less tau times its second derivative; Price's theorem gives the cross terms.
const silu: Kind = {
  symmetry: 'even',
  mean: (K) => K * densityMean(K),
  term: (n, c, next) => Math.sqrt((n + 2) / (n + 1)) * c - next,
  pair: (k11, k12, k22, out) => {
    let T = 0;
    let D = 0;
    eachComponent(k11, k12, k22, (w, s, t, A, B, root, angle) => {
      const ends = s / A + t / B;
      T += w * (root + k12 * angle - root * ends + (s * t) / root);
      D += w * (angle + (k12 * ends) / root + (k12 * s * t) / root ** 3);
    });
    out[0] = k12 / 4 + T / twoPi;
    out[1] = 0.25 + D / twoPi;
  },
};

/** c_n = sqrt(n!) / (2^m m!) sum_i w_i (K / A_i)^m / sqrt(2 pi A_i), n = 2m, A_i = K + tau_i. */
function expand(kind: Kind, K: number): Expansion {
  const powers = weights.map((w, i) => w / Math.sqrt(twoPi * (K + variances[i])));
  const ratios = variances.map((v) => K / (K + v));
  const terms = new Float64Array(longest);
  let c = 0;
  let q = 1;
  for (let m = 0; m <= longest; m++) {
    let next = 0;
    for (let i = 0; i < count; i++) {
      next += powers[i];
      powers[i] *= ratios[i];
    }
    if (m > 0) q *= Math.sqrt((2 * m - 1) / (2 * m));
    next *= q;
    if (m > 0) {
      terms[m - 1] = kind.term(2 * m - 2, c, next);
      if (terms[m - 1] <= negligible * terms[0])
        return { mean: kind.mean(K), terms: terms.slice(0, m), complete: true };
    }
    c = next;
  }
  return { mean: kind.mean(K), terms, complete: false };
}

/** Mehler's formula; false, with `out` unset, where the terms kept do not suffice. */
function sumSeries(
  kind: Kind,
  left: Expansion,
  right: Expansion,
  k12: number,
  S: number,
  out: Float64Array,
): boolean {
  const a = left.terms;
  const b = right.terms;
  const n = Math.min(a.length, b.length);
  const rho = k12 / (S || 1);
  const square = rho * rho;
  const odd = kind.symmetry === 'odd';
  let power = 1;
  let value = 0;
  let slope = 0;
  let m = 0;
  for (; m < n; m++) {
    const term = a[m] * b[m] * power;
    slope += odd ? term : term * (2 * m + 2);
    value += odd ? term / (2 * m + 1) : term;
    if (term <= negligible * value) break;
    power *= square;
  }
  if (m === n && !left.complete && !right.complete) return false;
  const means = left.mean * right.mean;
  out[0] = odd ? means + k12 * value : means + k12 / 4 + k12 * k12 * value;
  out[1] = odd ? slope : 0.25 + k12 * slope;
  return true;
}

/** Coefficients are kept by variance: a kernel matrix meets each again in every row. */
function mapOf(kind: Kind): Pair {
  const known = new Map<number, Expansion>();
  let stored = 0;
  const at = (K: number): Expansion => {
    let e = known.get(K);
    if (!e) {
      e = expand(kind, K);
      stored += e.terms.length;
      if (stored > storedAtMost) {
        known.clear();
        stored = e.terms.length;
      }
      known.set(K, e);
    }
    return e;
  };
  let row = Number.NaN;
  let left: Expansion = at(0);
  return (k11, k12, k22, out) => {
    if (k11 !== row) {
      left = at(k11);
      row = k11;
    }
    const S = Math.sqrt(k11 * k22);
    // Rounding of the caller's covariances may step outside the cone.
    const inside = Math.max(-S, Math.min(S, k12));
    const right = k22 === k11 ? left : at(k22);
    if (!sumSeries(kind, left, right, inside, S, out)) kind.pair(k11, inside, k22, out);
  };
}

function sigmoid(): Pair {
  const centred = mapOf(centredSigmoid);
  return (k11, k12, k22, out) => {
    centred(k11, k12, k22, out);
    out[0] += 0.25;
  };
}

function tanh(): Pair {
  const centred = mapOf(centredSigmoid);
  // tanh x = 2 (sigma(2 x) - 1 / 2).
  return (k11, k12, k22, out) => {
    centred(4 * k11, 4 * k12, 4 * k22, out);
    out[0] *= 4;
    out[1] *= 16;
  };
}

/**
 * Dual maps (T, D), T = E[phi(u) phi(v)], D = E[phi'(u) phi'(v)], of the activations built on the logistic function, to
 * about 1e-12 at every variance and correlation. Each keeps coefficients of its own, so make one for each use.
 */
export const smoothMaps: Readonly<Record<string, () => Pair>> = {
  tanh,
  sigmoid,
  softplus: () => mapOf(softplus),
  silu: () => mapOf(silu),
};
