import type { Command } from 'commander';
import type { Preset } from '../../theory/claim.js';
import type { Verified } from '../../theory/verify.js';

/** One measurement, asked of a worker process. */
export interface Task {
  readonly claim: string;
  readonly seed: number;
  readonly preset: Preset;
  readonly sabotage: boolean;
  readonly backend: string;
}

export type FromWorker =
  | { readonly type: 'progress'; readonly fraction: number; readonly text: string }
  | { readonly type: 'verified'; readonly verified: Omit<Verified, 'claim'> }
  | { readonly type: 'failed'; readonly message: string };

export const workerCommand = 'verify-worker';

/** Adds the hidden command that a worker process runs: it measures what its parent sends, until the parent is gone. */
export function register(program: Command): void {
  program.command(workerCommand, { hidden: true }).action(serve);
}

async function serve(): Promise<void> {
  const [{ useBackend }, { claims }, { verifyOne }] = await Promise.all([
    import('../../network/backends/index.js'),
    import('../../theory/registry.js'),
    import('../../theory/verify.js'),
  ]);
  const send = (message: FromWorker): void => void process.send?.(message);
  await new Promise<void>((resolve) => {
    process.once('disconnect', resolve);
    process.on('message', async (task: Task) => {
      try {
        const claim = claims.find((c) => c.id === task.claim);
        if (!claim) throw new Error(`There is no claim "${task.claim}".`);
        const backend = await useBackend(task.backend as 'auto');
        const { result, figures } = await verifyOne(
          claim,
          task.seed,
          { ...task, backend: backend.name },
          { progress: (fraction, text) => send({ type: 'progress', fraction, text }) },
        );
        send({ type: 'verified', verified: { result, figures } });
      } catch (error) {
        send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
      }
    });
  });
}
