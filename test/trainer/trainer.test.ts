import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRun, readRunFile, readSnapshots } from '../../src/runs/index.js';
import { TrainerError } from '../../src/trainer/client.js';
import { model, temporaryFolder } from '../helpers/folders.js';
import { next, Trainers, trainerPath } from '../helpers/trainer.js';

let place: ReturnType<typeof temporaryFolder>;
let trainers: Trainers;
beforeEach(() => {
  place = temporaryFolder();
  trainers = new Trainers(place.path);
});
afterEach(() => {
  trainers.end();
  place.clean();
});

describe('a trainer process', () => {
  it('trains, streams every row, and writes the run that it streamed', async () => {
    const client = await trainers.start();
    const { ended, folder, frames } = await trainers.finish(client, trainers.request('small.ts'));
    expect(ended.status).toBe('finished');
    const run = readRun(folder);
    const steps = frames.flatMap((f) => Array.from(f.metrics.step));
    expect(steps).toEqual(Array.from(run.metrics.step));
    expect(new Set(steps).size).toBe(steps.length);
    const loss = frames.flatMap((f) => Array.from(f.metrics.columns['loss'] ?? []));
    expect(loss.at(-1)).toBe(run.metrics.columns['loss'].at(-1));
    expect(readSnapshots(folder, ['kernel']).map((s) => s.step)).toEqual(
      frames.flatMap((f) => f.snapshots.filter((s) => s.name === 'kernel').map((s) => s.step)),
    );
    expect(readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8')).not.toMatch(/NaN|Infinity/);
  });

  it('tells the loss of the start before anything slower is measured, and measures the same', async () => {
    const client = await trainers.start();
    const seen: string[] = [];
    client.onMessage((m) => seen.push(m.type));
    const started = next(client, 'started');
    const { folder } = await trainers.finish(client, trainers.request('small.ts'));
    expect((await started).loss).toBe(readRun(folder).metrics.columns['loss'][0]);
    expect(seen.indexOf('started')).toBeLessThan(seen.indexOf('frame'));
    const resumed = next(client, 'started');
    await trainers.finish(client, trainers.request('small.ts', { resume: folder, overrides: { steps: 80 } }));
    expect((await resumed).loss).toBeNull();
  });

  it('gives bitwise the same metrics for the same seed, also in a process that has run before', async () => {
    const client = await trainers.start();
    const files = [];
    for (let i = 0; i < 2; i++)
      files.push(
        path.join((await trainers.finish(client, trainers.request('small.ts'))).folder, 'metrics.jsonl'),
      );
    const other = await trainers.start();
    files.push(
      path.join((await trainers.finish(other, trainers.request('small.ts'))).folder, 'metrics.jsonl'),
    );
    const texts = files.map((file) => readFileSync(file, 'utf8'));
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).toBe(texts[0]);
  });

  it('pauses between two steps, takes single steps, goes on, and stops with everything kept', async () => {
    const client = await trainers.start();
    const info = next(client, 'started');
    client.run(trainers.request('small.ts', { exportName: 'long', paused: true }));
    expect((await next(client, 'paused')).step).toBe(0);
    const second = next(client, 'paused');
    client.step(3);
    expect((await second).step).toBe(3);
    const resumed = next(client, 'resumed');
    client.resume();
    expect((await resumed).step).toBe(3);
    await next(client, 'frame', (f) => (f.metrics.step.at(-1) ?? 0) > 100);
    const end = next(client, 'finished');
    await client.stop();
    const { ended } = await end;
    expect(ended.status).toBe('stopped');
    const { folder } = (await info).info;
    expect(readRunFile(folder).status).toBe('stopped');
    expect(readRun(folder).metrics.step.at(-1)).toBe(ended.step);
    expect(client.running).toBe(true);
  });

  it('leaves an interrupted run when it is killed, which resumes to the numbers of an uninterrupted one', async () => {
    const steps = 4000;
    const overrides = { steps, 'measure.checkpointEvery': 500, 'measure.kernels': 5 };
    const client = await trainers.start();
    const info = next(client, 'started');
    const gone = new Promise((resolve) => client.onExit(resolve));
    client.run(trainers.request('small.ts', { overrides }));
    const { folder } = (await info).info;
    await next(client, 'frame', (f) => (f.metrics.step.at(-1) ?? 0) > 1200);
    client.kill();
    expect(await gone).toMatchObject({ signal: 'SIGKILL' });
    expect(readRunFile(folder).status).toBe('interrupted');
    expect(readRun(folder).metrics.step.length).toBeGreaterThan(10);
    const again = await trainers.start();
    const resumed = await trainers.finish(again, trainers.request('small.ts', { resume: folder }));
    expect(resumed.folder).toBe(folder);
    expect(resumed.ended).toMatchObject({ status: 'finished', step: steps });
    const whole = await trainers.finish(again, trainers.request('small.ts', { overrides }));
    expect(readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8')).toBe(
      readFileSync(path.join(whole.folder, 'metrics.jsonl'), 'utf8'),
    );
  });

  it('stops at a loss that leaves the finite numbers, and says at which step and step size', async () => {
    const client = await trainers.start();
    const { ended, folder } = await trainers.finish(
      client,
      trainers.request('small.ts', { exportName: 'diverging' }),
    );
    expect(ended.status).toBe('diverged');
    expect(ended.message).toMatch(/step \d+/);
    expect(ended.message).toMatch(/500/);
    expect(readRunFile(folder).status).toBe('diverged');
    expect(readRun(folder).metrics.step.length).toBeGreaterThan(0);
  });

  it.each([
    ['syntax.ts', { line: 4 }, /syntax/],
    ['wrongField.ts', { field: 'model.width' }, /width.*-3/],
    ['throwing.ts', { line: 4 }, /undefined/],
  ])('refuses %s with the place of the mistake', async (file, at, text) => {
    const client = await trainers.start();
    const error = next(client, 'error');
    client.run(trainers.request(file));
    const refused = await error;
    expect(refused).toMatchObject(at);
    expect(refused.message).toMatch(text);
    expect(refused.message).toContain(file);
    // The process is as good as new.
    expect(
      (await trainers.finish(client, trainers.request('small.ts', { overrides: { steps: 3 } }))).ended.status,
    ).toBe('finished');
  });

  it('loads ES modules, CommonJS, imports of the workspace and of tfjs-node', async () => {
    const client = await trainers.start();
    expect((await trainers.finish(client, trainers.request('importing.ts'))).ended.status).toBe('finished');
  });

  it('ends a model file that never ends', async () => {
    const client = await trainers.start();
    client.run(trainers.request('endless.ts'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await client.stop();
    expect(client.running).toBe(false);
  });

  it('inspects a model; the newest request wins', async () => {
    const client = await trainers.start();
    const ask = { file: model('small.ts'), exportName: 'default', overrides: {}, backend: 'wasm' as const };
    const first = client.inspect(ask);
    const second = client.inspect({ ...ask, overrides: { 'model.width': 128 } });
    await expect(first).rejects.toThrow(TrainerError);
    expect((await second).parameters).toBe(128 * 7);
    const unsaved = await client.inspect({
      ...ask,
      text: readFileSync(model('small.ts'), 'utf8').replace("learningRate: 'auto'", 'learningRate: 1000'),
    });
    expect(unsaved.problems.map((p) => p.code)).toContain('step-too-large');
    expect(unsaved.maxStep).toBeLessThan(1000);
    await expect(client.inspect({ ...ask, file: model('wrongField.ts') })).rejects.toMatchObject({
      place: { field: 'model.width' },
    });
  });

  it('does not write over a run that is there', async () => {
    const client = await trainers.start();
    const { folder } = await trainers.finish(
      client,
      trainers.request('small.ts', { runId: 'mine', overrides: { steps: 3 } }),
    );
    const before = readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8');
    const error = next(client, 'error');
    client.run(trainers.request('small.ts', { runId: 'mine' }));
    expect((await error).message).toMatch(/already holds a run/);
    expect(readFileSync(path.join(folder, 'metrics.jsonl'), 'utf8')).toBe(before);
  });

  it('leaves when its parent is gone', async () => {
    const script = `const { fork } = require('node:child_process'); const c = fork(${JSON.stringify(trainerPath)}, [], { serialization: 'advanced', stdio: 'ignore' }); c.on('message', () => { process.stdout.write(String(c.pid)); setTimeout(() => process.exit(0), 200); });`;
    const parent = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (d) => resolve(Number(d))));
    await new Promise((resolve) => parent.once('close', resolve));
    const alive = () => existsSync(`/proc/${pid}`) || canSignal(pid);
    for (let i = 0; i < 50 && alive(); i++) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(alive()).toBe(false);
  });
});

function canSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
