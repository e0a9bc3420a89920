import type { ForeignEngine } from '../preload/foreign.js';

/**
 * What loading a second copy of TensorFlow.js changes in a process that has one, and how it was before: gradients are
 * registered again, in the version of the second copy; the platform is set again, with a warning; seeds are drawn.
 * Imported before that copy; `imported` puts everything back and keeps the second copy's gradients for our own looks.
 */
type Registry = Map<unknown, unknown>;

const scope = globalThis as {
  _tfGlobals?: Map<string, Registry>;
  _tfengine?: ForeignEngine & { ENV?: Record<string, unknown> };
};
const gradients = scope._tfGlobals?.get('gradRegistry') ?? new Map();
const theirs: Registry = new Map(gradients);
const environment = scope._tfengine?.ENV;
const kept = environment && {
  platform: environment['platform'],
  platformName: environment['platformName'],
  flagRegistry: { ...(environment['flagRegistry'] as object) },
};
const { random } = Math;
const { warn } = console;
let state = 1;
// Any numbers do: names of layers and seeds that nobody uses.
Math.random = () => {
  state = (state * 16807) % 2147483647;
  return state / 2147483647;
};
console.warn = () => undefined;

let ours: Registry = theirs;

function fill(registry: Registry): void {
  gradients.clear();
  for (const [name, entry] of registry) gradients.set(name, entry);
}

/** After the second copy is loaded, and `prepare` has added to its gradients. */
export function imported(prepare: () => void): void {
  try {
    prepare();
  } finally {
    ours = new Map(gradients);
    fill(theirs);
    Math.random = random;
    console.warn = warn;
    if (environment && kept) Object.assign(environment, kept);
  }
}

/** Runs `work` with our gradients in the place of the program's. */
export function withOurGradients<T>(work: () => T): T {
  const own: Registry = new Map(gradients);
  fill(ours);
  try {
    return work();
  } finally {
    fill(own);
  }
}
