import type { ForeignEngine, ForeignLayer, ForeignModel, ForeignTensor } from '../preload/foreign.js';

/** What surrounds a look at a program's models: in a program of others, gradients of ours. */
export type Around = <T>(work: () => T) => T;

interface Stateful extends ForeignLayer {
  readonly stateful?: boolean;
  states_?: ForeignTensor[] | null;
  resetStates?(states: unknown, training?: boolean): void;
}

let state = 12345;
const numbers = (): number => {
  state = (state * 16807) % 2147483647;
  return state / 2147483647;
};

/** Every layer of a model, those of nested models and wrappers included. */
export function everyLayer(model: ForeignLayer): ForeignLayer[] {
  const found = new Set<ForeignLayer>();
  const visit = (layer: ForeignLayer | undefined | null): void => {
    if (!layer || typeof layer !== 'object' || found.has(layer)) return;
    found.add(layer);
    const open = layer as ForeignLayer & Record<string, unknown>;
    for (const inner of (open.layers as ForeignLayer[] | undefined) ?? []) visit(inner);
    for (const name of ['layer', 'cell', 'forwardLayer', 'backwardLayer', 'model'])
      visit(open[name] as ForeignLayer | undefined);
    for (const inner of (open['cells'] as ForeignLayer[] | undefined) ?? []) visit(inner);
  };
  visit(model);
  return [...found];
}

/**
 * Runs `work`, which calls the models of a program, and leaves no trace of it: tensors are freed, Math.random goes on where
 * it was, recurrent states and plain numbers that layers count in are put back, and nothing is printed. `around` wraps it all.
 */
export function aside<T>(
  engine: ForeignEngine,
  models: readonly ForeignModel[],
  around: Around,
  work: () => T,
): T {
  const { random } = Math;
  const write = [process.stdout.write, process.stderr.write] as const;
  const layers = models.flatMap(everyLayer);
  const plain = layers.map(plainFields);
  Math.random = numbers;
  process.stdout.write = silent;
  process.stderr.write = silent;
  try {
    return around(() =>
      engine.tidy(() => {
        const restore = keptStates(layers);
        try {
          return keepingNothing(engine, work);
        } finally {
          restore();
        }
      }),
    );
  } finally {
    Math.random = random;
    [process.stdout.write, process.stderr.write] = write;
    for (const [i, layer] of layers.entries()) Object.assign(layer, plain[i]);
  }
}

/** Runs `work` and frees what it kept, which it does itself unless it fails. */
function keepingNothing<T>(engine: ForeignEngine, work: () => T): T {
  const { keep } = engine;
  const kept: ForeignTensor[] = [];
  engine.keep = function (this: ForeignEngine, result) {
    kept.push(result);
    return keep.call(this, result);
  };
  try {
    return work();
  } finally {
    engine.keep = keep;
    for (const tensor of kept) if (!tensor.isDisposed) tensor.dispose();
  }
}

/** A program's own layers may count or print where they are called. */
const silent = (...args: unknown[]): boolean => {
  const done = args.find((arg) => typeof arg === 'function') as (() => void) | undefined;
  done?.();
  return true;
};

function plainFields(layer: ForeignLayer): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(layer))
    if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string')
      fields[name] = value;
  return fields;
}

/** Copies the states of stateful layers; returns what puts them back. */
function keptStates(layers: readonly ForeignLayer[]): () => void {
  const kept = (layers as readonly Stateful[])
    .filter(({ stateful, resetStates }) => stateful && resetStates)
    .map((layer) => ({ layer, states: layer.states_?.map((t) => t.clone()) ?? null }));
  return () => {
    for (const { layer, states } of kept) {
      if (states) layer.resetStates?.(states, false);
      else if (layer.states_) {
        for (const t of layer.states_) t.dispose();
        layer.states_ = null;
      }
    }
  };
}
