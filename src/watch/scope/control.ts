import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';

/** Places of the shared words. */
const [stateAt, stepsAt, measureAt, stopAt] = [0, 1, 2, 3];
const [running, paused] = [0, 1];

/**
 * Listens beside the program, which may never give its thread away: words of people who know the token change numbers that
 * the program's thread looks at between steps.
 */
const listener = `
const { workerData: { socket, token, shared } } = require('node:worker_threads');
const net = require('node:net');
const words = new Int32Array(shared);
const act = {
  pause: () => Atomics.store(words, 0, 1),
  resume: () => { Atomics.store(words, 0, 0); Atomics.notify(words, 0); },
  step: (count) => { Atomics.add(words, 1, count); Atomics.store(words, 0, 1); Atomics.notify(words, 1); Atomics.notify(words, 0); },
  measure: () => Atomics.store(words, 2, 1),
  stop: () => { Atomics.store(words, 3, 1); Atomics.store(words, 0, 0); Atomics.notify(words, 0); },
};
net.createServer((peer) => {
  let text = '';
  peer.setEncoding('utf8').on('error', () => undefined).on('data', (part) => {
    text += part;
    const end = text.indexOf('\\n');
    if (end < 0) return text.length > 4096 && peer.destroy();
    let answer = { ok: false, message: 'This is not a word with the token of the run folder.' };
    try {
      const said = JSON.parse(text.slice(0, end));
      if (said.token === token && Object.hasOwn(act, said.word)) {
        act[said.word](Math.max(1, Math.min(1e9, said.count | 0)));
        answer = { ok: true };
      }
    } catch {}
    peer.end(JSON.stringify(answer) + '\\n');
  });
}).listen(socket);
`;

/** Words from outside to a watched program: pause, step, resume, measure, stop. */
export class Control {
  readonly socket: string;
  readonly token = randomBytes(16).toString('hex');
  private readonly words = new Int32Array(new SharedArrayBuffer(16));

  constructor() {
    const name = `kernelscope-${process.pid}-${randomBytes(4).toString('hex')}`;
    this.socket = process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(tmpdir(), `${name}.sock`);
    const workerData = { socket: this.socket, token: this.token, shared: this.words.buffer };
    try {
      const worker = new Worker(listener, {
        eval: true,
        workerData,
        execArgv: [],
        env: {},
        stdout: true,
        stderr: true,
      });
      worker.on('error', () => undefined);
      worker.unref();
    } catch {
      // Without the thread nobody is listened to; the program trains on.
    }
  }

  /** The program ends. */
  close(): void {
    if (process.platform !== 'win32') rmSync(this.socket, { force: true });
  }

  /** Whether a kernel was asked for since the last look. */
  get measures(): boolean {
    return Atomics.exchange(this.words, measureAt, 0) === 1;
  }

  /** Whether the training is asked to stop. */
  get stops(): boolean {
    return Atomics.exchange(this.words, stopAt, 0) === 1;
  }

  /** Holds the program between two steps while it is paused; `told` is called before and after. Milliseconds that it was held. */
  hold(told: (status: 'paused' | 'running') => void): number {
    if (Atomics.load(this.words, stateAt) === running) return 0;
    const start = performance.now();
    let held = false;
    while (Atomics.load(this.words, stateAt) === paused) {
      if (Atomics.load(this.words, stepsAt) > 0) {
        Atomics.sub(this.words, stepsAt, 1);
        break;
      }
      if (!held) told('paused');
      held = true;
      // A step is told by the same word, so a short wait is enough to see both.
      Atomics.wait(this.words, stateAt, paused, 50);
    }
    if (held && Atomics.load(this.words, stateAt) === running) told('running');
    return performance.now() - start;
  }
}
