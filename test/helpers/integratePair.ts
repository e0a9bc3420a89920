/** A smooth activation: its value, its derivative and the distance of its nearest complex pole from the real axis. */
export interface SmoothActivation {
  readonly value: (x: number) => number;
  readonly slope: (x: number) => number;
  readonly pole: number;
}

const reach = 9.5;
const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Activations without a closed form that the trapezoidal rule integrates with exponential convergence. */
export const smoothActivations: Readonly<Record<string, SmoothActivation>> = {
  tanh: { value: Math.tanh, slope: (x) => 1 - Math.tanh(x) ** 2, pole: Math.PI / 2 },
  sigmoid: { value: logistic, slope: (x) => logistic(x) * logistic(-x), pole: Math.PI },
  softplus: {
    value: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    slope: logistic,
    pole: Math.PI,
  },
  silu: {
    value: (x) => x * logistic(x),
    slope: (x) => logistic(x) * (1 + x * logistic(-x)),
    pole: Math.PI,
  },
};

/**
 * Writes E[phi(u) phi(v)] and E[phi'(u) phi'(v)] to `out`, (u, v) ~ N(0, [[k11, k12], [k12, k22]]), by the trapezoidal
 * rule in two dimensions. Its error falls as exp(-2 pi pole / (step * deviation)), so the step follows the variance.
 */
export function integratePair(
  phi: SmoothActivation,
  k11: number,
  k12: number,
  k22: number,
  out: Float64Array,
): void {
  const s1 = Math.sqrt(k11);
  const s2 = Math.sqrt(k22);
  const c = s1 * s2 > 0 ? Math.max(-1, Math.min(1, k12 / (s1 * s2))) : 0;
  const rest = s2 * Math.sqrt(Math.max(0, (1 - c) * (1 + c)));
  const step = Math.min(0.5, (2 * Math.PI * phi.pole) / (34 * Math.max(s1, s2, 1e-9) * Math.SQRT2));
  const half = Math.ceil(reach / step);
  const flat = rest < 1e-12 * (s2 || 1);
  let value = 0;
  let slope = 0;
  for (let a = -half; a <= half; a++) {
    const z = a * step;
    const weight = Math.exp((-z * z) / 2);
    let inner = 0;
    let innerSlope = 0;
    if (flat) {
      inner = phi.value(s2 * c * z) * (Math.sqrt(2 * Math.PI) / step);
      innerSlope = phi.slope(s2 * c * z) * (Math.sqrt(2 * Math.PI) / step);
    } else
      for (let b = -half; b <= half; b++) {
        const y = b * step;
        // Outside the disc the weight is below 1e-19.
        if (y * y + z * z > 90.25) continue;
        const v = s2 * c * z + rest * y;
        const w = Math.exp((-y * y) / 2);
        inner += w * phi.value(v);
        innerSlope += w * phi.slope(v);
      }
    value += weight * phi.value(s1 * z) * inner;
    slope += weight * phi.slope(s1 * z) * innerSlope;
  }
  const scale = (step * step) / (2 * Math.PI);
  out[0] = value * scale;
  out[1] = slope * scale;
}
