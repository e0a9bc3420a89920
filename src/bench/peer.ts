import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { BenchRow } from './rows.js';

export interface Timing {
  readonly ms: number;
  /** Processor time of all threads in the same while. */
  readonly cpuMs: number;
  /** Most resident memory while it ran, all of the process; null where the system does not tell. */
  readonly peakMB: number | null;
  /** Share of the work that was measured, where the rest was reckoned from it. */
  readonly share?: number;
}

/** One library in a Python process of its own: two of them in one process may not get along. */
export class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;
  private said = '';
  private failed: string | null = null;

  constructor(
    python: string,
    script: string,
    private readonly library: string,
  ) {
    this.child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.on('error', (error) => {
      this.failed = error.message;
    });
    // A process that ended is found out by the missing answer.
    this.child.stdin?.on('error', () => undefined);
    this.child.stderr?.on('data', (chunk) => {
      this.said = (this.said + chunk).slice(-2000);
    });
    if (!this.child.stdout) throw new Error(`${python} gives no output.`);
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** Names and versions of the ways this library offers, or a string with the reason why it offers none. */
  async load(): Promise<Readonly<Record<string, string>> | string> {
    const answer = await this.ask<{ methods?: Record<string, string>; missing?: string }>({
      do: 'load',
      library: this.library,
    });
    return typeof answer === 'string' ? answer : (answer.methods ?? answer.missing ?? 'no answer');
  }

  /** One measurement; a string is the reason why there is none. */
  async time(method: string, row: BenchRow): Promise<Timing | string> {
    const answer = await this.ask<Timing & { skip?: string }>({ do: 'run', method, row });
    return typeof answer === 'string' ? answer : (answer.skip ?? answer);
  }

  /** Any other request; throws an Error with the reason where there is no answer. */
  async give<T>(request: object): Promise<T> {
    const answer = await this.ask<T>(request);
    if (typeof answer === 'string') throw new Error(`${this.library} gave no answer: ${answer}`);
    return answer;
  }

  private async ask<T>(request: object): Promise<T | string> {
    if (this.child.exitCode === null && !this.failed) this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (!done) return JSON.parse(value) as T;
    const last = this.said.trim().split('\n').pop();
    return this.failed ?? (last || 'its process ended without a word');
  }

  close(): void {
    this.child.stdin?.end();
    this.child.kill();
  }
}
