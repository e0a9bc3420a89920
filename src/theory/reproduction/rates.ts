import type { OptimizerSpec } from '../../experiment/definition.js';

/**
 * The authors' three ways of setting step sizes, named by eta_u / eta_theta as they state it. They differ in where the
 * scale alpha / m sits, and so in how much of it the step of each weight sees.
 */
export type RateConvention = 'equal' | 'alpha' | 'm/alpha';

export const conventionTexts: Readonly<Record<RateConvention, string>> = {
  equal: 'f = (alpha/m) sum u h, both steps lr m/alpha',
  alpha: 'alpha sits in the initial u, f = (1/m) sum u h, both steps lr m',
  'm/alpha': 'standard: alpha/m sits in the initial u, f = sum u h, both steps lr',
};

/**
 * The step sizes of a convention in the coordinates f = (alpha/m) sum u h, u ~ N(0, 1), of a network of width m: a
 * factor c in the initial u divides the step of u by c^2 and leaves that of theta.
 */
export function ratesOf(
  convention: RateConvention,
  lr: number,
  width: number,
  alpha: number,
): Pick<OptimizerSpec, 'learningRate' | 'ratio'> {
  switch (convention) {
    case 'equal':
      return { learningRate: (lr * width) / alpha, ratio: 1 };
    case 'alpha':
      return { learningRate: lr * width, ratio: alpha ** -2 };
    case 'm/alpha':
      return { learningRate: lr, ratio: (width / alpha) ** 2 };
  }
}
