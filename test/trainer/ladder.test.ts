import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { trainerWireVersion } from '../../src/protocol/trainerWire.js';
import { lastCheckpoint, readRunFile } from '../../src/runs/index.js';
import { TrainerClient } from '../../src/trainer/client.js';
import { model, root, temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  place = temporaryFolder();
});
afterEach(() => place.clean());

/** A process that greets as a trainer does and then follows none of the requests that it is told not to. */
function deafTrainer(deafTo: 'messages' | 'messages and SIGTERM'): TrainerClient {
  const file = path.join(place.path, 'deaf.cjs');
  writeFileSync(
    file,
    `process.send({ v: ${trainerWireVersion}, seq: 0, message: { type: 'hello', version: ${trainerWireVersion}, node: '20', pid: process.pid } });
process.on('message', () => undefined);
${deafTo === 'messages' ? '' : "process.on('SIGTERM', () => undefined);"}
setInterval(() => undefined, 1000);`,
  );
  return new TrainerClient({ trainerPath: file });
}

const canSignal = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function gone(pid: number, milliseconds: number): Promise<boolean> {
  for (const end = Date.now() + milliseconds; Date.now() < end; ) {
    if (!canSignal(pid)) return true;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return false;
}

describe('a trainer that shall stop', () => {
  it.each([
    ['messages', 'SIGTERM', 2000],
    ['messages and SIGTERM', 'SIGKILL', 5000],
  ] as const)('and is deaf to %s is ended by %s', async (deafTo, signal, after) => {
    const client = deafTrainer(deafTo);
    const exit = new Promise<{ signal: string | null }>((resolve) => client.onExit(resolve));
    await client.start();
    const asked = performance.now();
    await client.stop();
    const took = performance.now() - asked;
    expect((await exit).signal).toBe(signal);
    expect(client.running).toBe(false);
    expect(took).toBeGreaterThan(after - 50);
    expect(took).toBeLessThan(after + 3000);
  });
});

/** A parent that starts one run in a trainer, tells its process, and waits to be killed. */
async function orphan(file: string, exportName: string): Promise<number> {
  const request = {
    file: model(file),
    exportName,
    overrides: {},
    backend: 'wasm',
    runsFolder: place.path,
    runId: 'orphan',
  };
  const script = `
const { fork } = require('node:child_process');
const c = fork(${JSON.stringify(path.join(root, 'dist', 'trainer.js'))}, [], { serialization: 'advanced', stdio: 'ignore' });
const send = (seq, message) => c.send({ v: ${trainerWireVersion}, seq, message });
c.once('message', () => { send(0, { type: 'hello', version: ${trainerWireVersion} }); send(1, { type: 'run', request: ${JSON.stringify(request)} }); });
let acks = 2;
c.on('message', ({ message }) => {
  if (message.type === 'frame') send(acks++, { type: 'ack', frame: message.frame });
  if (message.type === ${exportName === 'long' ? "'frame'" : "'progress'"}) process.stdout.write(c.pid + '\\n');
});`;
  const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const pid = await new Promise<number>((resolve) =>
    parent.stdout.once('data', (d: Buffer) => resolve(Number.parseInt(String(d), 10))),
  );
  await new Promise((resolve) => setTimeout(resolve, 500));
  parent.kill('SIGKILL');
  return pid;
}

describe('a trainer whose parent is killed', () => {
  it('ends the run as interrupted, with a checkpoint of its last step', async () => {
    const pid = await orphan('small.ts', 'long');
    expect(await gone(pid, 10_000)).toBe(true);
    const folder = path.join(place.path, 'orphan');
    const run = readRunFile(folder);
    expect(run.status).toBe('interrupted');
    expect(run.ended?.step).toBeGreaterThan(0);
    expect(lastCheckpoint(folder)).toContain(String(run.ended?.step).padStart(8, '0'));
  });

  it('leaves also when the model file loops for ever', async () => {
    const pid = await orphan('endless.ts', 'default');
    expect(await gone(pid, 20_000)).toBe(true);
    expect(existsSync(path.join(place.path, 'orphan', 'run.json'))).toBe(false);
  });
});
