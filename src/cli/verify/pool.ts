import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Claim } from '../../theory/claim.js';
import { unmeasured, type Verified, type VerifySetting, verifyOne } from '../../theory/verify.js';
import { type FromWorker, type Task, workerCommand } from './worker.js';

export interface Job {
  readonly claim: Claim;
  readonly seed: number;
}

export interface PoolOptions extends VerifySetting {
  readonly jobs: readonly Job[];
  /** Measurements at the same time; 1 measures in this process. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly progress?: (job: Job, fraction: number, text: string) => void;
}

/** Measures every job and yields each as it is done. The small networks of claims fill one core, not two. */
export async function* verifyAll(options: PoolOptions): AsyncGenerator<Verified> {
  const { jobs, signal, progress } = options;
  if (options.parallel <= 1 || jobs.length === 1) {
    for (const job of jobs) {
      signal.throwIfAborted();
      yield await verifyOne(job.claim, job.seed, options, {
        signal,
        progress: (fraction, text) => progress?.(job, fraction, text),
      });
    }
    return;
  }
  const queue = [...jobs];
  const workers = Array.from({ length: Math.min(options.parallel, jobs.length) }, () => new Worker(options));
  const next = (worker: Worker): Promise<{ worker: Worker; verified: Verified }> | null => {
    const job = queue.shift();
    return job ? worker.measure(job).then((verified) => ({ worker, verified })) : null;
  };
  const stop = () => {
    for (const worker of workers) worker.end();
  };
  signal.addEventListener('abort', stop);
  try {
    const running = new Map<Worker, NonNullable<ReturnType<typeof next>>>();
    const start = (worker: Worker) => {
      const work = next(worker);
      if (work) running.set(worker, work);
      else running.delete(worker);
    };
    for (const worker of workers) start(worker);
    while (running.size > 0) {
      const { worker, verified } = await Promise.race(running.values());
      signal.throwIfAborted();
      start(worker);
      yield verified;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}

/** A process that measures one job after the other; a new one takes the place of one that died. */
class Worker {
  private child: ChildProcess | null = null;

  constructor(private readonly options: PoolOptions) {}

  measure(job: Job): Promise<Verified> {
    this.child ??= this.spawn();
    const { child, options } = this;
    const began = performance.now();
    return new Promise((resolve) => {
      const end = (verified: Verified) => {
        child.off('message', listen);
        child.off('exit', died);
        resolve(verified);
      };
      const fail = (reason: string) =>
        end(unmeasured(job.claim, job.seed, options, reason, (performance.now() - began) / 1000));
      const listen = (message: FromWorker) => {
        if (message.type === 'progress') options.progress?.(job, message.fraction, message.text);
        else if (message.type === 'verified') end({ claim: job.claim, ...message.verified });
        else fail(message.message);
      };
      const died = (code: number | null, signal: string | null) => {
        this.child = null;
        fail(`the process that measured it ended (${signal ?? `exit code ${code}`}).`);
      };
      child.on('message', listen);
      child.on('exit', died);
      const { preset, sabotage, backend } = options;
      const task: Task = { claim: job.claim.id, seed: job.seed, preset, sabotage, backend };
      child.send(task);
    });
  }

  end(): void {
    this.child?.kill('SIGKILL');
    this.child = null;
  }

  private spawn(): ChildProcess {
    const threads = String(Math.max(1, Math.floor(availableParallelism() / this.options.parallel)));
    return fork(process.argv[1], [workerCommand], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
      // Two processes with two threads each would wait for one another.
      env: { TF_NUM_INTRAOP_THREADS: threads, TF_NUM_INTEROP_THREADS: '1', ...process.env },
    });
  }
}
