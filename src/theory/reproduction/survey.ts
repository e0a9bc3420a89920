/**
 * An experiment of the survey's authors as one command: stages (trainings) that leave curves behind, and a conclusion that
 * sets ours beside the published values. One file an experiment under `survey/`.
 */

import type { DataSpec } from '../../experiment/definition.js';
import type { Dataset } from '../../network/data/index.js';
import type { Preset } from '../claim.js';
import type { Figure } from '../figure.js';
import type { Keeper } from './keeper.js';
import type { LearningCurve } from './learningCurve.js';

export type { Preset } from '../claim.js';

export interface StageContext {
  readonly seed: number;
  readonly preset: Preset;
  readonly signal?: AbortSignal;
  /** `fraction` of this stage in [0, 1]. */
  readonly progress: (fraction: number, text: string) => void;
  readonly keeper: Keeper;
  /** Loads data once for all stages that ask for the same. */
  readonly dataset: (spec: DataSpec, loss: 'mse' | 'crossEntropy') => Dataset;
}

export interface Stage {
  /** Unique within the experiment; names the files of an interrupted run. */
  readonly id: string;
  /** Everything the stage's result depends on beside preset and seed: a kept result of another plan is not taken. */
  readonly plan: unknown;
  /** Share of the experiment's time, relative to the other stages. */
  readonly cost: number;
  /** Keeps arrays for later stages under its own id. */
  readonly leaves?: boolean;
  run(context: StageContext): Promise<LearningCurve>;
}

/** Results by stage; a stage that was not reached is absent. */
export type Results = ReadonlyMap<string, LearningCurve>;

/** A number of ours beside a published one, or beside what theory expects. */
export interface ReferenceCheck {
  readonly name: string;
  readonly measured: number | null;
  /** Null where the published value is not known to us. */
  readonly published: number | null;
  /** Relative for movements and losses, difference for accuracies; null without a published value. */
  readonly deviation: number | null;
  /** The bar in words. */
  readonly tolerance: string;
  /** Null where it is not judged: stages that are missing, or a published value of the full setting beside a quick run. */
  readonly passed: boolean | null;
}

export interface Conclusion {
  readonly bars: readonly ReferenceCheck[];
  readonly figures: readonly Figure[];
  readonly note: string;
}

export interface SurveyInfo {
  readonly id: string;
  readonly title: string;
  readonly statement: string;
  /** What is run, in words, for each preset. */
  readonly setting: Readonly<Record<Preset, string>>;
  /** Published values in words, as far as they are known to us. */
  readonly published: string;
  readonly source: string;
}

export interface Survey extends SurveyInfo {
  stages(preset: Preset): readonly Stage[];
  conclude(results: Results, preset: Preset): Conclusion;
}
