import { FailureError } from '../../core/errors.js';
import { device } from '../devices/index.js';
import { type Inputs, sampleCount, samplesOf } from '../inputs.js';
import * as tf from '../tf.js';

/** Share of free memory that a kernel may plan with. */
const share = 0.8;
/** Bytes for the blocks that are being multiplied. */
const blocks = 2 ** 28;
/** Contribution of what fits that is named. */
const margin = 0.97;
/** Bytes not worth a look at what is free, which takes a tenth of a millisecond. */
const small = 2 ** 24;

const gb = (bytes: number): string => `${(bytes / 2 ** 30).toPrecision(2)} GB`;

/** Throws a FailureError with the size that fits, before a result of `arrays` matrices would take the machine down. */
export function requireMemory(rows: number, cols: number, arrays: number): void {
  const needed = 4 * rows * cols * arrays;
  if (needed <= small) return;
  const budget = share * process.availableMemory();
  if (needed <= budget) return;
  const fits = Math.floor(Math.sqrt(budget / (4 * arrays)));
  throw new FailureError(
    `A kernel of ${rows} x ${cols} values${arrays > 1 ? ` in ${arrays} parts` : ''} takes ${gb(needed)}, but ${gb(budget)} are to be had; up to ${fits} x ${fits} fits. Take fewer inputs, the trace form, or products without forming the kernel (KernelOperator).`,
  );
}

type Collect = (x: Inputs) => { dispose(): void };

/** Inputs whose parts fit, measured on a few; `collect` makes the layers' parts for some inputs. */
function inputsThatFit(x: Inputs, collect: Collect): number {
  const few = Math.min(2, sampleCount(x));
  const some = tf.tidy(() => samplesOf(x, 0, few));
  try {
    const before = tf.memory().numBytes;
    const parts = collect(some);
    const each = (tf.memory().numBytes - before) / few;
    parts.dispose();
    const budget = share * device().availableBytes() - blocks;
    // While they are made, the parts of a chain of layers take about three times what they hold in the end.
    // What is free differs a little from one look to the next; the number that is named must fit at the next one.
    return Math.max(1, Math.floor((margin * budget) / (3 * each)));
  } finally {
    tf.dispose(some);
  }
}

const doesNotFit = (x: Inputs, fits: string): FailureError =>
  new FailureError(
    `The kernel of ${sampleCount(x)} inputs does not fit in the memory of the ${tf.getBackend()} backend; ${fits} inputs do. Take fewer inputs, one output, or a smaller network.`,
  );

/**
 * Throws before the contributions to a kernel exceed the machine's memory: there the system ends the process without a word.
 * `values` are those of a sample in all layers. Measures only where a rough bound says that it might.
 */
export function requireMemoryFor(values: number, x: Inputs, outputs: number, collect: Collect): void {
  const samples = sampleCount(x);
  // Patches of a convolution are several times its input.
  const rough = 16 * samples * (outputs + 2) * values;
  if (rough <= small || rough <= share * device().availableBytes()) return;
  const fits = inputsThatFit(x, collect);
  if (fits < margin * samples) throw doesNotFit(x, `about ${fits}`);
}

/** What to say when memory ran out on the way; `collect` as above. Measures, so nothing must be held any more. */
export function outOfMemory(x: Inputs, collect: Collect): FailureError {
  try {
    return doesNotFit(x, `about ${Math.min(sampleCount(x) - 1, inputsThatFit(x, collect))}`);
  } catch {
    // Not even two fit.
    return doesNotFit(x, 'fewer');
  }
}
