import { AsyncLocalStorage } from 'node:async_hooks';
import path from 'node:path';
import { InputError } from '../../core/errors.js';
import * as tf from '../../network/tf.js';
import { routeFiles } from '../keras/fileRouter.js';

/** Code of the user's that runs in our process, and everything that it leaves behind to run later. */
interface ForeignWork {
  readonly file: string;
  /** Being loaded, not called: training and leaving are no part of that. */
  readonly loading: boolean;
  /** Refuses the file, as far as anybody still waits for it. */
  readonly refuse: (error: InputError) => void;
}

const work = new AsyncLocalStorage<ForeignWork>();
let watching = false;

/**
 * Runs code of a file. What it prints goes to stderr, for stdout may hold a document. While it is loaded it neither ends
 * the process nor trains: either is an InputError, and where it comes later (from what a file started and did not wait
 * for) it does not happen.
 */
export function runForeign<T>(
  file: string,
  loading: boolean,
  run: (refused: Promise<never>) => T | Promise<T>,
): Promise<T> {
  if (!watching) watch();
  watching = true;
  routeFiles(() => path.dirname(work.getStore()?.file ?? '.'));
  let refuse: (error: InputError) => void = () => undefined;
  const refused = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  refused.catch(() => undefined);
  return Promise.race([refused, work.run({ file, loading, refuse }, async () => await run(refused))]);
}

type Method = (this: unknown, ...values: never[]) => unknown;

function watch(): void {
  const { exit } = process;
  process.exit = (...values) => {
    const foreign = work.getStore();
    // Without an argument it keeps the exit code that was set.
    if (!foreign?.loading) return exit.apply(process, values);
    const [code] = values;
    throw refusal(
      foreign,
      `${foreign.file} calls process.exit(${code ?? ''}) while it is loaded; take that out.`,
    );
  };
  for (const name of ['log', 'info', 'debug'] as const) {
    const print = console[name];
    console[name] = (...values: unknown[]) => (work.getStore() ? console.error : print)(...values);
  }
  const model = tf.LayersModel.prototype as unknown as Record<string, Method>;
  const optimizer = tf.Optimizer.prototype as unknown as Record<string, Method>;
  for (const [owner, name] of [
    [model, 'fit'],
    [model, 'fitDataset'],
    [model, 'trainOnBatch'],
    [optimizer, 'minimize'],
  ] as const) {
    const original = owner[name];
    owner[name] = function (this: unknown, ...values) {
      const foreign = work.getStore();
      if (!foreign?.loading) return original.apply(this, values);
      const error = refusal(
        foreign,
        `${foreign.file} trains when it is loaded (${name}), and that training would go unrecorded. Export the function that makes the model and train in another file, or watch the program as it is: kernelscope watch -- node ${foreign.file}`,
      );
      if (name === 'minimize') throw error;
      return new Promise(() => undefined);
    };
  }
}

function refusal({ file, refuse }: ForeignWork, message: string): InputError {
  const error = new InputError(message, { file });
  refuse(error);
  return error;
}
