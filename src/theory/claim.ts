/**
 * A claim is a statement of the survey (or of a work it builds on) turned into an experiment: a setting, theory's
 * number, a measurement, a tolerance, a figure, a verdict. One file a claim under `claims/`.
 */

import type { Sabotage } from '../network/training/sabotage.js';
import type { Figure } from './figure.js';

/** Themes of the survey (A universality ... K convex reparameterisation); 'beyond' where the survey stops. */
export type Theme = 'A' | 'B' | 'C' | "C'" | "C''" | 'D' | 'E' | 'F' | 'G' | 'H' | 'I' | 'J' | 'K' | 'beyond';

/** Presets may differ in samples, steps and the widest network, never in the bars. */
export type Preset = 'quick' | 'full';

export interface ClaimContext {
  readonly seed: number;
  readonly preset: Preset;
  /** Planted fault in the training code; the claim must turn red under the one it names. */
  readonly sabotage?: Sabotage;
  readonly signal?: AbortSignal;
  /** Called now and then with a fraction in [0, 1] and what is going on. */
  readonly progress?: (fraction: number, text: string) => void;
}

export interface ClaimOutcome {
  readonly passed: boolean;
  /** Theory's number, in the same unit as `measured`. */
  readonly predicted: number;
  readonly measured: number;
  /** 95 % confidence interval of `measured`, where it is an estimate. */
  readonly interval: readonly [number, number] | null;
  /** One or two sentences: what was seen, further numbers, what failed. */
  readonly note: string;
  readonly figures: readonly Figure[];
}

export interface ClaimInfo {
  readonly id: string;
  readonly title: string;
  readonly theme: readonly Theme[];
  /** What theory says, in one sentence. */
  readonly statement: string;
  /** Task, model, start, step size, what is varied. */
  readonly setting: string;
  /** The bar in words ("slope of log drift in log width: -1 +- .15"). */
  readonly tolerance: string;
  readonly source: string;
  readonly sabotage: Sabotage;
}

export interface Claim extends ClaimInfo {
  measure(context: ClaimContext): Promise<ClaimOutcome>;
}

/** One line of `verify --json`. */
export interface ClaimResult {
  readonly id: string;
  readonly passed: boolean;
  readonly predicted: number;
  readonly measured: number;
  readonly interval: readonly [number, number] | null;
  readonly tolerance: string;
  readonly seed: number;
  readonly backend: string;
  readonly seconds: number;
  readonly note: string;
}
