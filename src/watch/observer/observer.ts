/**
 * The heavy half of the watch, loaded at a program's first training step: finds out what is trained, and keeps a scope for
 * each training.
 */
// First: it keeps what the imports below would change.
import './importing.js';
import './gradientsAhead.js';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { decodeNpy } from '../../core/npy.js';
import type { RunStarted } from '../../protocol/records.js';
import {
  type CopiedTensor,
  type ForeignEngine,
  type ForeignModel,
  type ForeignOptimizer,
  type ForeignVariable,
  workerOf,
} from '../preload/foreign.js';
import type { Hooks, Listener, StepFacts } from '../preload/hooks.js';
import { Budget } from '../scope/budget.js';
import { Control } from '../scope/control.js';
import { startedInfo } from '../scope/info.js';
import { Kernels } from '../scope/kernels.js';
import { metricValues } from '../scope/metrics.js';
import { placeOfCaller } from '../scope/place.js';
import { fitsShape, ProbeSet } from '../scope/probe.js';
import { Recording, runName } from '../scope/record.js';
import { Scope } from '../scope/scope.js';
import { type Weights, weightsOfModel, weightsOfVariables } from '../scope/weights.js';
import type { WatchSettings } from '../settings.js';
import { withOurGradients } from './importing.js';
import { type Root, rootsOf } from './roots.js';

/** Trainings of one process that are recorded: a search over hundreds of models would fill the disk. */
const mostScopes = 24;

export function observe(
  engine: ForeignEngine,
  settings: WatchSettings,
  hooks: Hooks,
  loading: number,
): Listener {
  const observer = new Observer(engine, settings, new Budget(loading));
  process.on('exit', (code) => {
    hooks.closeByHand();
    hooks.sees(() => observer.end(code));
  });
  return observer;
}

class Observer implements Listener {
  private readonly scopes = new WeakMap<object, Scope>();
  private readonly all: Scope[] = [];
  private readonly given: CopiedTensor | null;
  /** Steps without a model go by what takes them. */
  private readonly byHand = {};

  constructor(
    private readonly engine: ForeignEngine,
    private readonly settings: WatchSettings,
    private readonly budget: Budget,
  ) {
    this.given = settings.probe === undefined ? null : readProbe(settings.probe);
  }

  wants(model: ForeignModel | null): boolean {
    if (model === null)
      return this.all.length === 0 || this.all.some((scope) => scope.gathers) || this.unknown;
    const scope = this.scopes.get(workerOf(model));
    return scope ? scope.gathers : this.all.length < mostScopes;
  }

  /** Whether a model may come that is not known yet. */
  private unknown = true;
  private stepping: readonly Scope[] = [];

  get reads(): boolean {
    return this.all.length === 0 || this.all.some((scope) => scope.reads);
  }

  before(facts: StepFacts): void {
    const { optimizer, gradients, leaves } = facts;
    const known = this.all.length;
    const roots = this.rootsOf(facts);
    const scopes = roots.map(({ model, trained }) => this.scopeOf(model, trained, optimizer));
    if (roots.length === 0) scopes.push(this.bareScope(this.updatedBy(facts), optimizer));
    this.unknown = this.all.length > known;
    this.stepping = scopes.filter((scope) => scope !== null);
    for (const [i, scope] of scopes.entries()) {
      const inputs = roots[i]?.inputs ?? null;
      if (scope?.gathers) this.budget.count(() => scope.probe?.add(inputs, leaves));
      scope?.before();
      // Of a step by hand the weights are known, not the gradients.
      if (optimizer) scope?.gradientsOf(gradients);
    }
  }

  after(facts: StepFacts): void {
    const { losses, model, metrics } = facts;
    if (this.control?.measures) for (const scope of this.all) scope.asked = true;
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    const read = (): Record<string, number> => ({
      ...(losses.length > 0 ? { loss: mean } : {}),
      ...(model ? metricValues(model, metrics) : {}),
    });
    for (const scope of this.stepping) scope.after(read);
    this.stepping = [];
    this.heed(facts);
  }

  private control: Control | null = null;
  private stopped = false;

  /** Does what was said from outside. */
  private heed({ model }: StepFacts): void {
    const { control } = this;
    if (!control) return;
    this.budget.held(
      control.hold((status) => {
        for (const scope of this.all) scope.status(status);
      }),
    );
    if (!control.stops) return;
    this.stopped = true;
    // `fit` can be told to end; a loop of the program's own is interrupted as by a terminal.
    if (model?.isTraining) model.stopTraining = true;
    else {
      this.end(0);
      process.kill(process.pid, 'SIGINT');
    }
  }

  /** The models that a step trains. */
  private rootsOf(facts: StepFacts): readonly Root[] {
    const updated = new Set(this.updatedBy(facts));
    if (facts.model) return [{ model: facts.model, inputs: null, trained: updated }];
    return rootsOf(facts.calls, updated);
  }

  private updatedBy({ gradients }: StepFacts): readonly ForeignVariable[] {
    return gradients
      .map(([name]) => this.engine.registeredVariables[name])
      .filter((variable): variable is ForeignVariable => variable !== undefined);
  }

  /** The program ends. */
  end(code: number): void {
    const [status, message] =
      code === 0
        ? (['finished'] as const)
        : code === 130
          ? (['interrupted'] as const)
          : (['failed', `The program ended with exit code ${code}.`] as const);
    for (const scope of this.all) scope.end(this.stopped ? 'stopped' : status, message);
    this.control?.close();
  }

  private scopeOf(
    model: ForeignModel,
    trained: ReadonlySet<ForeignVariable>,
    optimizer: ForeignOptimizer | null,
  ): Scope | null {
    const key = workerOf(model);
    const known = this.scopes.get(key);
    if (known) return known;
    const name = model.name.replace(/_model$/, '');
    if (this.settings.model !== undefined && this.settings.model !== name) return null;
    const fits = this.given && key.inputs.length === 1 && fitsShape(this.given.shape, key.inputs[0].shape);
    const make = () => weightsOfModel(key, trained);
    return this.begin(
      key,
      name,
      key,
      make,
      new ProbeSet(key, fits && this.given ? [this.given] : null),
      optimizer,
    );
  }

  private bareScope(variables: readonly ForeignVariable[], optimizer: ForeignOptimizer | null): Scope | null {
    if (variables.length === 0 || this.settings.model !== undefined) return null;
    const key = optimizer ?? this.byHand;
    const known = this.scopes.get(key);
    if (known) return known;
    return this.begin(key, 'variables', null, () => weightsOfVariables(variables), null, optimizer);
  }

  private begin(
    key: object,
    name: string,
    model: ForeignModel | null,
    makeWeights: () => Weights,
    probe: ProbeSet | null,
    optimizer: ForeignOptimizer | null,
  ): Scope | null {
    if (this.all.length >= mostScopes) return null;
    const place = placeOfCaller();
    let weights: Weights | null = null;
    this.budget.count(() => {
      weights = makeWeights();
    });
    if (!weights) return null;
    const known: Weights = weights;
    const program = process.argv[1] ?? place.file;
    const run = runName(program, name, this.all.length);
    const startedAt = new Date().toISOString();
    const { engine, budget, settings } = this;
    const open = (facts: Pick<RunStarted, 'probe' | 'outputs'>): Recording => {
      const training = { run, folder: path.join(settings.runs, run), name, place, model, optimizer };
      const info = startedInfo(
        { ...training, weights: known, backend: engine.backendName, startedAt },
        facts,
      );
      if (settings.verbose) process.stderr.write(`kernelscope: watching ${name}, ${info.folder}\n`);
      this.control ??= new Control();
      return new Recording(info, { node: process.versions.node }, settings.announce, this.control);
    };
    const kernels =
      model && probe ? new Kernels(engine, budget, model, probe, known, withOurGradients) : null;
    const scope = new Scope({ budget, model, weights: known, kernels, optimizer, open });
    this.scopes.set(key, scope);
    this.all.push(scope);
    return scope;
  }
}

function readProbe(file: string): CopiedTensor | null {
  try {
    const { data, shape } = decodeNpy(readFileSync(file), file);
    const values = data instanceof Float32Array ? data : Float32Array.from(data as ArrayLike<number>, Number);
    return { shape, values, dtype: 'float32' };
  } catch {
    return null;
  }
}
