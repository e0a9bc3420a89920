import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { FailureError } from '../../../core/errors.js';
import { fromBase64 } from '../../../core/linalg/wasm/platform.js';
import { OutOfMemoryError } from '../memory.js';
import { binary } from './binary.js';

interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** What assembly/index.ts exports to the thread that gives the jobs; numbers are byte addresses and int32. */
export interface Exports {
  run(workers: number): void;
  beginColumn(
    a: number,
    stride: number,
    j: number,
    start: number,
    padded: number,
    d: number,
    e: number,
    tau: number,
    panel: number,
  ): void;
  endColumn(
    a: number,
    stride: number,
    j: number,
    start: number,
    padded: number,
    tau: number,
    panel: number,
    scratch: number,
  ): void;
  finishCorner(
    a: number,
    stride: number,
    start: number,
    stop: number,
    last: number,
    d: number,
    panel: number,
  ): void;
  packPanel(
    v: number,
    w: number,
    stride: number,
    width: number,
    first: number,
    n: number,
    pack: number,
  ): void;
  gather(parts: number, stride: number, count: number, w: number, first: number, n: number): void;
}

interface Namespace {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
  readonly Memory: new (options: { initial: number; maximum: number; shared: true }) => SharedMemory;
}

const page = 2 ** 16;
const mostPages = 2 ** 15;
/** Where assembly/control.ts has what describes a job: who is in it, its tasks, what they are, their parameters. */
const [stateAt, tasksAt, operationAt, parametersAt] = [68, 76, 80, 128];
/** A word that assembly leaves alone: set by a thread that failed. */
const failedAt = 84;

/** More threads than this would wait for memory. */
const mostThreads = 8;

export const operations = {
  pack: 0,
  product: 1,
  gram: 2,
  convolution: 3,
  network: 4,
  symmetricProduct: 5,
  rankTwoUpdate: 6,
} as const;

/** Threads that a job gets here: one a processor, or as many as TensorFlow's own were limited to. */
export function threadCount(): number {
  const limit = Number(process.env['TF_NUM_INTRAOP_THREADS']);
  return Math.max(
    1,
    Math.min(mostThreads, Number.isInteger(limit) && limit > 0 ? limit : availableParallelism()),
  );
}

const worker = `
  const { workerData: { module, memory, thread } } = require('node:worker_threads');
  try {
    new WebAssembly.Instance(module, { env: { memory } }).exports.serve(thread);
  } catch (error) {
    // Whoever waits for the job must not wait for ever.
    const words = new Int32Array(memory.buffer);
    Atomics.store(words, ${failedAt / 4}, 1);
    Atomics.sub(words, ${stateAt / 4}, 1);
    Atomics.notify(words, ${stateAt / 4});
    throw error;
  }`;

/**
 * Our own float32 products in WebAssembly, on a memory that a few threads share. Which thread does which task of a job
 * does not change a number. Where threads cannot be started, this one does it all.
 */
export class Threads {
  /** Threads that do a job, this one among them. */
  readonly count: number;
  private readonly memory: SharedMemory;
  readonly exports: Exports;
  private readonly workers: Worker[] = [];
  private used = page;

  constructor(count = threadCount()) {
    const wasm = (globalThis as unknown as { WebAssembly: Namespace }).WebAssembly;
    const module = new wasm.Module(fromBase64(binary));
    this.memory = new wasm.Memory({ initial: 1, maximum: mostPages, shared: true });
    this.exports = new wasm.Instance(module, { env: { memory: this.memory } }).exports;
    try {
      // Where this thread may not wait for others, it works alone.
      if (count > 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
      for (let thread = 1; thread < count; thread++) {
        const workerData = { module, memory: this.memory, thread };
        const started = new Worker(worker, { eval: true, workerData, execArgv: [], env: {} });
        // A worker that fails takes no task any more; and none keeps the process alive.
        started.on('error', () => undefined);
        started.unref();
        this.workers.push(started);
      }
    } catch {
      // Fewer threads, then.
    }
    this.count = this.workers.length + 1;
  }

  /** Forgets what was allocated. */
  clear(): void {
    this.used = page;
  }

  /** Where allocation stands, to go `back` to. */
  get mark(): number {
    return this.used;
  }

  back(mark: number): void {
    this.used = mark;
  }

  /** Address of so many bytes; what is there is undefined. */
  allocate(bytes: number): number {
    const at = this.used;
    this.used = at + 64 * Math.ceil(bytes / 64);
    const missing = this.used - this.memory.buffer.byteLength;
    if (missing > 0)
      try {
        this.memory.grow(Math.ceil(missing / page));
      } catch {
        this.used = at;
        throw new OutOfMemoryError(
          `A product that needs ${Math.ceil(bytes / 2 ** 20)} MB of workspace does not fit in memory. Use fewer inputs or a smaller network.`,
        );
      }
    return at;
  }

  /** Float32 values at an address; gone once more is allocated. */
  values(at: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, length);
  }

  doubles(at: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, length);
  }

  integers(at: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, at, length);
  }

  /** Does one job; throws a FailureError where a thread failed in it. Parameters are integers, then from place `reals` on float32 numbers. */
  do(operation: number, tasks: number, integers: readonly number[], reals: readonly number[] = []): void {
    const { buffer } = this.memory;
    new Int32Array(buffer, parametersAt, integers.length).set(integers);
    if (reals.length > 0)
      new Float32Array(buffer, parametersAt + 4 * integers.length, reals.length).set(reals);
    new Int32Array(buffer, operationAt, 1)[0] = operation;
    new Int32Array(buffer, tasksAt, 1)[0] = tasks;
    this.exports.run(tasks > 1 ? this.workers.length : 0);
    if (Atomics.exchange(new Int32Array(this.memory.buffer), failedAt / 4, 0) !== 0)
      throw new FailureError(
        'A thread that computed a product failed, so the result was dropped. Please report it with what you ran; with TF_NUM_INTRAOP_THREADS=1 no other thread is used.',
      );
  }

  /** Ends the workers. */
  async close(): Promise<void> {
    await Promise.all(this.workers.map((w) => w.terminate()));
  }
}

let shared: Threads | null | undefined;

/** The threads of this process, started at the first use; null where WebAssembly cannot share memory. */
export function threads(): Threads | null {
  if (shared === undefined)
    try {
      shared = new Threads();
    } catch {
      shared = null;
    }
  return shared;
}
