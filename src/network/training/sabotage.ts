/**
 * Faults that can be planted in the training code. Every claim names one under which it must turn red: a claim that
 * stays green with the training code broken shows nothing.
 */
export const sabotages = [
  /**
   * The scale is sqrt(alpha m) where the definition says alpha: wrong exponents in alpha and in the width. The output of
   * deep networks is sqrt(m) too large, as is every 1/m between hidden layers; blocks of residual ones have sqrt(s) for s.
   */
  'wrong-alpha',
  /** Step sizes do not follow the width and the scale (stepScale and the parameterisation's own factors are ignored). */
  'wrong-step-scale',
  /** Every step is twice as long as stated. */
  'doubled-step',
  /** Langevin noise is left out. */
  'drop-noise',
  /** The L2 term is left out. */
  'drop-l2',
  /** A start that should be symmetrised is not. */
  'unsymmetrised-start',
  /** The gradient of the readout u is left out: only features move. */
  'frozen-readout',
  /** The gradient of theta is left out: only the readout moves. */
  'frozen-features',
  /** The linearised twin and the kernel see a Jacobian without its readout part. */
  'half-jacobian',
  /** The gradient is that of the squared loss whatever loss is stated. */
  'wrong-loss',
  /** Theta starts from a law of another variance. */
  'wrong-start-variance',
  /** The training targets are out of step with the inputs: each sample carries those of the next. */
  'shifted-labels',
] as const;
export type Sabotage = (typeof sabotages)[number];
