import type { ExperimentDefinition } from '../experiment/index.js';
import type { BuiltModel } from '../network/models/build.js';
import type { RegimeForecast } from '../network/training/index.js';
import type { UnitHealth } from '../network/training/observe/health.js';
import type { InspectionProblem } from '../protocol/trainerWire.js';

/** What is known of an experiment before its first step. */
export interface StartFacts {
  readonly definition: ExperimentDefinition;
  readonly exportName: string;
  readonly built: BuiltModel;
  /** What people call the layers, by name. */
  readonly labels: ReadonlyMap<string, string>;
  /** 2 (1 + momentum) n O / lambda_max. */
  readonly maxStep: number;
  /** Steps to half of the loss by the kernel; null when never. */
  readonly stepsToHalf: number | null;
  readonly health: Readonly<Record<string, UnitHealth>>;
  /** Training inputs that equal another one with other targets. */
  readonly clashing: number;
  readonly forecast: RegimeForecast;
  /** Root mean squares of the outputs at the start and of the targets, on the probe inputs. */
  readonly outputSize: number;
  readonly targetSize: number;
}

/** Looks for one kind of problem. */
export type Check = (facts: StartFacts) => readonly InspectionProblem[];

export const short = (v: number): string => String(Number(v.toPrecision(3)));
/** A name as it is written in a model file. */
export const quoted = (name: string): string => `'${name}'`;
