import path from 'node:path';
import type { RunEnded } from '../../src/protocol/records.js';
import type { FromTrainer, RunRequest } from '../../src/protocol/trainerWire.js';
import { TrainerClient } from '../../src/trainer/client.js';
import { model, root } from './folders.js';

export const trainerPath = path.join(root, 'dist', 'trainer.js');

type Of<T extends FromTrainer['type']> = Extract<FromTrainer, { type: T }>;

/** Resolves with the next message of a type for which a condition holds; rejects on an error of the trainer. */
export function next<T extends FromTrainer['type']>(
  client: TrainerClient,
  type: T,
  when: (m: Of<T>) => boolean = () => true,
): Promise<Of<T>> {
  return new Promise((resolve, reject) => {
    const listener = client.onMessage((message) => {
      if (message.type === type && when(message as Of<T>)) {
        listener.dispose();
        resolve(message as Of<T>);
      } else if (message.type === 'error' && type !== 'error') {
        listener.dispose();
        reject(new Error(message.message));
      }
    });
  });
}

/** Trainers of one test: all of them are ended by `end`. */
export class Trainers {
  private readonly clients: TrainerClient[] = [];

  constructor(private readonly runsFolder: string) {}

  async start(): Promise<TrainerClient> {
    const client = new TrainerClient({ trainerPath });
    this.clients.push(client);
    await client.start();
    return client;
  }

  request(file: string, more: Partial<RunRequest> = {}): RunRequest {
    return {
      file: path.isAbsolute(file) ? file : model(file),
      exportName: 'default',
      overrides: {},
      backend: 'wasm',
      runsFolder: this.runsFolder,
      ...more,
    };
  }

  async finish(
    client: TrainerClient,
    ask: RunRequest,
  ): Promise<{ ended: RunEnded; folder: string; frames: Of<'frame'>[] }> {
    const frames: Of<'frame'>[] = [];
    const listener = client.onMessage((m) => m.type === 'frame' && frames.push(m));
    const info = next(client, 'started');
    const end = next(client, 'finished');
    client.run(ask);
    try {
      const [{ ended }, { info: facts }] = await Promise.all([end, info]);
      return { ended, folder: facts.folder, frames };
    } finally {
      listener.dispose();
    }
  }

  end(): void {
    for (const client of this.clients) {
      client.dispose();
      client.kill();
    }
  }
}
