import {
  type CopiedTensor,
  type ForeignEngine,
  type ForeignModel,
  type ForeignOptimizer,
  type ForeignTensor,
  type ForeignVariable,
  type NamedGradients,
  namedGradients,
  type TapeNode,
  type TrainFunction,
} from './foreign.js';
import { copied, leavesOf } from './tape.js';
import type { ClassMap } from './traps.js';

/** A model that was called while a gradient was taken, and what it was called on: copied, as it is often disposed soon. */
export interface Call {
  readonly model: ForeignModel;
  readonly inputs: readonly CopiedTensor[] | null;
}

/** What a step was made from. */
export interface StepFacts {
  /** The model whose `fit`, `fitDataset` or `trainOnBatch` takes the step; null where the program takes it itself. */
  readonly model: ForeignModel | null;
  /** Values of the losses whose gradients were taken for this step. */
  readonly losses: readonly number[];
  /** Metrics of a step of fit, in the order of the model's names; to be read before the step is over. */
  readonly metrics: readonly ForeignTensor[];
  readonly calls: readonly Call[];
  /** Tensors that the loss was computed from, beside weights: inputs and targets. Empty where nobody looks for them. */
  readonly leaves: readonly CopiedTensor[];
  /** Null for a step that the program takes without one. */
  readonly optimizer: ForeignOptimizer | null;
  /** By the names of the variables; of a step by hand the variables themselves. */
  readonly gradients: readonly (readonly [string, ForeignTensor])[];
}

/** Who is told of steps. What it throws is caught. */
export interface Listener {
  /** Whether inputs of this model, or of any, are still looked for. */
  wants(model: ForeignModel | null): boolean;
  /** Whether the loss of the next step is read. */
  readonly reads: boolean;
  /** Gradients are known, weights have not changed yet. */
  before(facts: StepFacts): void;
  after(facts: StepFacts): void;
}

interface OptimizerPrototype {
  applyGradients(gradients: NamedGradients): unknown;
}

interface ModelPrototype {
  makeTrainFunction(): TrainFunction;
}

/** Gradients that are remembered for one step; a program that takes no steps may take endlessly many. */
const mostLosses = 1000;

/**
 * The hooks that every path of training passes. None of them is on the stack while code of the program runs: they look and
 * return, so that its errors read as without us. Every step of training ends in `applyGradients`, or in assignments.
 */
export class Hooks {
  /** While the observer works: what it does is not the program's. */
  quiet = false;
  private engine: ForeignEngine | null = null;
  private listener: Listener | null = null;
  private readonly maps = new Set<ClassMap>();
  private readonly patched = new WeakSet<object>();
  /** The models that `fit` and its like train by an optimizer. */
  private readonly fitted = new WeakMap<object, Set<ForeignModel>>();
  private calls: Call[] = [];
  private losses: number[] = [];
  private metrics: ForeignTensor[] = [];
  private leaves: readonly CopiedTensor[] = [];
  /** Whether a gradient has been taken since the last step. */
  private pending = false;
  private applying = 0;
  /** Variables that the program changed by itself after a gradient. */
  private byHand: StepFacts | null = null;

  constructor(private readonly load: (engine: ForeignEngine) => Listener | null) {}

  attachEngine(engine: ForeignEngine): void {
    if (this.quiet || this.patched.has(engine)) return;
    this.patched.add(engine);
    this.engine = engine;
    const hooks = this;
    const { endScope, startTape, keep } = engine;
    engine.endScope = function (this: ForeignEngine, result?: unknown) {
      const name = hooks.quiet ? '' : this.state.activeScope?.name;
      if (name === 'forward') hooks.sees(() => hooks.forward());
      if (name === 'backward') hooks.sees(() => hooks.backward(result));
      return endScope.call(this, result);
    };
    engine.startTape = function (this: ForeignEngine) {
      if (!hooks.quiet && this.state.gradientDepth === 0) hooks.sees(() => hooks.begin());
      return startTape.call(this);
    };
    engine.keep = function (this: ForeignEngine, result: ForeignTensor) {
      // Metrics of a step of fit are kept by itself; what operations keep for the way back is kept in scopes of theirs.
      if (!hooks.quiet && this.state.activeScope?.name === 'forward' && result.size === 1)
        hooks.metrics.push(result);
      return keep.call(this, result);
    };
  }

  attachClasses(map: ClassMap): void {
    if (this.quiet) return;
    this.maps.add(map);
    for (const [name, entry] of Object.entries(map)) {
      const prototype = entry?.[0]?.prototype;
      if (!prototype) continue;
      if (Object.hasOwn(prototype, 'applyGradients')) this.attachOptimizer(prototype as OptimizerPrototype);
      // The class of all layers models has no name that is its own, but it is the parent of the sequential one.
      if (name === 'Sequential') this.attachModels(Object.getPrototypeOf(prototype) as ModelPrototype);
    }
  }

  private attachOptimizer(prototype: OptimizerPrototype): void {
    if (this.patched.has(prototype)) return;
    this.patched.add(prototype);
    const hooks = this;
    const { applyGradients } = prototype;
    prototype.applyGradients = function (this: ForeignOptimizer, gradients: NamedGradients) {
      if (hooks.quiet || hooks.applying > 0) return applyGradients.call(this as never, gradients);
      const facts = hooks.before(this, gradients);
      hooks.applying++;
      try {
        return applyGradients.call(this as never, gradients);
      } finally {
        hooks.applying--;
        if (facts) hooks.tell((listener) => listener.after(facts));
      }
    };
  }

  private attachModels(prototype: ModelPrototype): void {
    if (this.patched.has(prototype) || typeof prototype.makeTrainFunction !== 'function') return;
    this.patched.add(prototype);
    const hooks = this;
    const { makeTrainFunction } = prototype;
    prototype.makeTrainFunction = function (this: ForeignModel) {
      if (!hooks.quiet && this.optimizer_) hooks.fits(this.optimizer_, this);
      return makeTrainFunction.call(this as never);
    };
    // Called with the inputs at the beginning of `apply` and `predict`. As long as nobody looks for inputs, and outside of
    // gradients, it is enough to see whose method is asked for.
    for (const name of ['assertInputCompatibility', 'checkNumSamples']) {
      const method = (prototype as unknown as Record<string, (...args: unknown[]) => unknown>)[name];
      if (typeof method !== 'function') continue;
      Object.defineProperty(prototype, name, {
        configurable: true,
        get(this: ForeignModel) {
          if (hooks.quiet || !hooks.engine?.state.activeTape) return method;
          return hooks.called(this, method) ?? method;
        },
        set(this: object, value: unknown) {
          Object.defineProperty(this, name, { value, writable: true, configurable: true, enumerable: true });
        },
      });
    }
  }

  private fits(optimizer: ForeignOptimizer, model: ForeignModel): void {
    const models = this.fitted.get(optimizer) ?? new Set();
    this.fitted.set(optimizer, models.add(model));
  }

  /** A model is called while a gradient is taken; returns the method that sees on what, where that is looked for. */
  private called(model: ForeignModel, method: (...args: unknown[]) => unknown) {
    const { calls } = this;
    if (calls.some((call) => call.model === model)) return null;
    const wanted = this.listener?.wants(model) ?? true;
    if (!wanted) {
      calls.push({ model, inputs: null });
      return null;
    }
    const hooks = this;
    return function (this: ForeignModel, ...args: unknown[]) {
      hooks.sees(() => calls.push({ model, inputs: copied(args[0]) }));
      return method.apply(this, args);
    };
  }

  /** A gradient begins: what came before it belongs to no step any more, unless it waits for one. */
  private begin(): void {
    this.closeByHand();
    this.metrics = [];
    this.attachVariables();
    // Classes may have been registered since their first sign was seen.
    for (const map of this.maps) this.attachClasses(map);
    this.maps.clear();
  }

  /** A loss has been computed, and its gradient comes next. */
  private forward(): void {
    const { state } = this.engine as ForeignEngine;
    if (state.gradientDepth !== 1 || !state.activeTape || !(this.listener?.wants(null) ?? true)) return;
    if (this.leaves.length === 0) this.leaves = leavesOf(state.activeTape as readonly TapeNode[]);
  }

  /** A gradient of the program's loss has been taken. */
  private backward(result: unknown): void {
    const { value, grads } = (result ?? {}) as { value?: ForeignTensor; grads?: unknown };
    if (!value || !Array.isArray(grads) || this.engine?.state.gradientDepth !== 0) return;
    this.pending = true;
    if (!(this.listener?.reads ?? true) || this.losses.length >= mostLosses) return;
    this.losses.push(value.size === 1 ? value.dataSync()[0] : Number.NaN);
  }

  private before(optimizer: ForeignOptimizer, given: NamedGradients): StepFacts | null {
    let facts: StepFacts | null = null;
    this.sees(() => {
      const gradients = namedGradients(given);
      const model = this.modelOf(optimizer, gradients);
      facts = { ...this.taken(), model, optimizer, gradients };
      const whole = facts;
      this.tell((listener) => listener.before(whole));
    });
    return facts;
  }

  /** The model whose weights are exactly those that are updated. */
  private modelOf(optimizer: ForeignOptimizer, gradients: StepFacts['gradients']): ForeignModel | null {
    for (const model of this.fitted.get(optimizer) ?? []) {
      const weights = model.collectedTrainableWeights;
      if (!weights || weights.length !== gradients.length) continue;
      const names = new Set(weights.map((weight) => weight.read().name));
      if (gradients.every(([name]) => names.has(name))) return model;
    }
    return null;
  }

  /** What has been seen since the last step. */
  private taken(): Pick<StepFacts, 'losses' | 'metrics' | 'calls' | 'leaves'> {
    const { losses, metrics, calls, leaves } = this;
    this.forget();
    return { losses, metrics, calls, leaves };
  }

  private forget(): void {
    this.calls = [];
    this.losses = [];
    this.metrics = [];
    this.leaves = [];
    this.pending = false;
  }

  private attachVariables(): void {
    const [variable] = Object.values(this.engine?.registeredVariables ?? {});
    if (!variable) return;
    const prototype = Object.getPrototypeOf(variable) as { assign(value: ForeignTensor): void };
    if (this.patched.has(prototype)) return;
    this.patched.add(prototype);
    const hooks = this;
    const { assign } = prototype;
    prototype.assign = function (this: ForeignVariable, value: ForeignTensor) {
      if (!hooks.quiet && (hooks.pending || hooks.byHand) && hooks.applying === 0 && this.trainable)
        hooks.sees(() => hooks.assigned(this));
      return assign.call(this, value);
    };
  }

  /** The program changes a weight itself: with the others that follow until the next gradient, this is a step. */
  private assigned(variable: ForeignVariable): void {
    const entry = [variable.name, variable] as const;
    if (!this.byHand) {
      const gradients = [entry];
      const facts: StepFacts = { ...this.taken(), model: null, optimizer: null, gradients };
      this.byHand = facts;
      this.tell((listener) => listener.before(facts));
    } else if (!this.byHand.gradients.some(([name]) => name === variable.name))
      (this.byHand.gradients as (readonly [string, ForeignTensor])[]).push(entry);
  }

  /** A step that the program took by itself is over once it takes the next gradient, or ends. */
  closeByHand(): void {
    const facts = this.byHand;
    if (!facts) return;
    this.byHand = null;
    this.tell((listener) => listener.after(facts));
  }

  private tell(what: (listener: Listener) => void): void {
    this.sees(() => {
      if (!this.engine) return;
      this.listener ??= this.load(this.engine);
      if (this.listener) what(this.listener);
    });
  }

  /** Looks without ever failing the program. */
  sees(look: () => void): void {
    const outer = this.quiet;
    this.quiet = true;
    try {
      look();
    } catch (error) {
      if (process.env['KERNELSCOPE_WATCH_ERRORS']) process.stderr.write(`${(error as Error).stack}\n`);
    } finally {
      this.quiet = outer;
    }
  }
}
