import path from 'node:path';
import { DivergedError, FailureError, InputError } from '../../core/errors.js';
import type { RunEnded, RunStarted } from '../../protocol/records.js';
import type { FromTrainer, RunRequest } from '../../protocol/trainerWire.js';
import { describeExit, TrainerClient } from '../../trainer/client.js';

export interface RunListeners {
  readonly progress?: (stage: string) => void;
  readonly started?: (info: RunStarted) => void;
  readonly frame?: (frame: Extract<FromTrainer, { type: 'frame' }>) => void;
}

export interface RunOutcome {
  readonly info: RunStarted | null;
  readonly ended: RunEnded;
}

const trainerPath = path.join(__dirname, 'trainer.js');

/**
 * One run in a trainer process of its own, from the request to its end. Throws an InputError for what the trainer
 * refused, a FailureError when the process died. An aborted signal stops the run; the outcome says `interrupted`.
 */
export async function runInTrainer(
  request: RunRequest,
  listeners: RunListeners,
  signal: AbortSignal,
): Promise<RunOutcome> {
  const client = new TrainerClient({ trainerPath, cwd: process.cwd() });
  await client.start();
  let info: RunStarted | null = null;
  try {
    const ended = await new Promise<RunEnded>((resolve, reject) => {
      client.onExit((exit) => {
        if (signal.aborted) resolve({ status: 'interrupted', step: 0, message: 'Stopped by the user.' });
        else
          reject(
            new FailureError(
              `The trainer ended before the run did (${describeExit(exit)}). What was recorded is kept.`,
            ),
          );
      });
      client.onMessage((message) => {
        switch (message.type) {
          case 'progress':
            listeners.progress?.(message.stage);
            return;
          case 'started':
            info = message.info;
            listeners.started?.(message.info);
            return;
          case 'frame':
            listeners.frame?.(message);
            return;
          case 'finished':
            resolve(message.ended);
            return;
          case 'error': {
            const { message: text, type: _type, id: _id, ...place } = message;
            reject(Object.keys(place).length > 0 ? new InputError(text, place) : new FailureError(text));
          }
        }
      });
      signal.addEventListener('abort', () => void client.stop());
      client.run(request);
      if (signal.aborted) void client.stop();
    });
    return { info, ended };
  } finally {
    client.dispose();
  }
}

/** Throws what the end of a run means for the exit code: diverged 3, failed 1, interrupted 130. */
export function requireFinished(ended: RunEnded, interrupted: boolean): void {
  if (ended.status === 'diverged') throw new DivergedError(ended.message ?? 'The run diverged.', ended.step);
  if (ended.status === 'failed') throw new FailureError(ended.message ?? 'The run failed.');
  if (interrupted || ended.status === 'interrupted')
    throw new DOMException(`Stopped at step ${ended.step}; what was recorded is kept.`, 'AbortError');
}

/** A signal that the first Ctrl-C aborts; the second ends the program at once. */
export function interruptSignal(): AbortSignal {
  const control = new AbortController();
  let count = 0;
  const stop = () => {
    count++;
    if (count > 1) process.exit(130);
    control.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return control.signal;
}
