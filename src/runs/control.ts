import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { FailureError } from '../core/errors.js';

/** Where a watched program listens, and what it wants to hear first. */
export interface ControlFile {
  readonly socket: string;
  readonly token: string;
}

export const controlWords = ['pause', 'resume', 'step', 'measure', 'stop'] as const;
export type ControlWord = (typeof controlWords)[number];

const fileOf = (folder: string): string => path.join(folder, 'control.json');

export const writeControl = (folder: string, control: ControlFile): void =>
  writeFileSync(fileOf(folder), `${JSON.stringify(control)}\n`, { mode: 0o600 });

/** The run is over: nobody listens any more. */
export const removeControl = (folder: string): void => rmSync(fileOf(folder), { force: true });

export const canSteer = (folder: string): boolean => existsSync(fileOf(folder));

/** Says a word to the program that writes a run folder. Throws a FailureError where nobody listens. */
export function sendWord(folder: string, word: ControlWord, count = 1): Promise<void> {
  let control: ControlFile;
  try {
    control = JSON.parse(readFileSync(fileOf(folder), 'utf8')) as ControlFile;
  } catch {
    return Promise.reject(new FailureError(`The program that writes ${folder} cannot be reached any more.`));
  }
  return new Promise((resolve, reject) => {
    const peer = connect(control.socket);
    const fail = (): void =>
      reject(new FailureError(`The program that writes ${folder} cannot be reached any more.`));
    let answer = '';
    peer.setEncoding('utf8');
    peer.setTimeout(5000, () => peer.destroy(new Error('timeout')));
    peer.on('error', fail);
    peer.on('connect', () => peer.write(`${JSON.stringify({ token: control.token, word, count })}\n`));
    peer.on('data', (part: string) => {
      answer += part;
    });
    peer.on('close', () => (answer.includes('"ok":true') ? resolve() : fail()));
  });
}
