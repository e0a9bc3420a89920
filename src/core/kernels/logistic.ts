/**
 * The logistic function as a mixture of Gaussian distribution functions, sigma(x) = sum_i w_i Phi(x / sqrt(tau_i)): with k
 * of the Kolmogorov distribution, sigma(x) = E Phi(x / (2 k)) (Andrews and Mallows 1974; Stefanski 1991). The trapezoidal
 * rule in log k makes it a finite sum, exact to 1e-13. It turns the Gaussian averages of tanh, sigmoid, softplus and
 * silu into those of step and ramp with the variances raised by tau, which are closed forms at every variance.
 */
export interface Mixture {
  readonly weights: Float64Array;
  readonly variances: Float64Array;
}

const first = -1.75;
const last = 1.5;
const spacing = 0.14;

function kolmogorovDensity(k: number): number {
  let sum = 0;
  // Jacobi's two forms of the theta series: each converges at once on its side of k = 1.
  if (k < 1)
    for (let n = 1; n < 12; n += 2) {
      const q = (n * Math.PI) ** 2 / (4 * k * k);
      sum += ((q - 1) / (k * k)) * Math.exp(-q / 2) * Math.sqrt(2 * Math.PI);
    }
  else for (let n = 1; n < 6; n++) sum += (n % 2 ? 8 : -8) * n * n * k * Math.exp(-2 * n * n * k * k);
  return sum;
}

/** Weights (sum 1) and variances tau of the mixture. */
export const logisticMixture: Mixture = (() => {
  const count = Math.round((last - first) / spacing) + 1;
  const ks = Float64Array.from({ length: count }, (_, i) => Math.exp(first + i * spacing));
  const weights = ks.map((k) => spacing * k * kolmogorovDensity(k));
  const total = weights.reduce((a, b) => a + b, 0);
  return { weights: weights.map((w) => w / total), variances: ks.map((k) => 4 * k * k) };
})();
