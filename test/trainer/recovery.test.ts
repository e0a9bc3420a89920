import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { lastCheckpoint, readLines, readRun, readRunFile, readSnapshots } from '../../src/runs/index.js';
import { model, temporaryFolder } from '../helpers/folders.js';
import { next, Trainers } from '../helpers/trainer.js';

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

const metricsFile = (folder: string) => path.join(folder, 'metrics.jsonl');
const metricsText = (folder: string) => readFileSync(metricsFile(folder), 'utf8');

/** Every step is a row, kernels come now and then, checkpoints often. */
const overrides = {
  steps: 600,
  'measure.metricsEvery': 1,
  'measure.checkpointEvery': 100,
  'measure.kernels': 4,
};

describe('a run that is killed at any instant', () => {
  it('loses at most the record that was being written, and resumes to the numbers of an undisturbed run', async () => {
    const first = await trainers.start();
    const began = performance.now();
    const whole = await trainers.finish(first, trainers.request('small.ts', { overrides }));
    const length = performance.now() - began;
    const wanted = metricsText(whole.folder);
    for (let seed = 0; seed < 4; seed++) {
      const chance = new Random(seed);
      const client = await trainers.start();
      let told = -1;
      client.onMessage((m) => {
        if (m.type === 'frame') told = Math.max(told, m.metrics.step.at(-1) ?? -1);
      });
      const gone = new Promise((resolve) => client.onExit(resolve));
      const info = next(client, 'started');
      client.run(trainers.request('small.ts', { overrides, runId: `killed-${seed}` }));
      const { folder } = (await info).info;
      await new Promise((resolve) => setTimeout(resolve, chance.uniform() * length * 0.7));
      client.kill();
      await gone;
      const status = readRunFile(folder).status;
      expect(['interrupted', 'finished'], `seed ${seed}`).toContain(status);
      const { metrics } = readRun(folder);
      // Nothing between is missing, and whatever was streamed is on the disk.
      expect(Array.from(metrics.step), `seed ${seed}`).toEqual(
        Array.from({ length: metrics.step.length }, (_, i) => i),
      );
      expect(metrics.step.at(-1) ?? -1, `seed ${seed}`).toBeGreaterThanOrEqual(told);
      expect(() => readSnapshots(folder), `seed ${seed}`).not.toThrow();
      if (status === 'finished') continue;
      const again = await trainers.finish(first, trainers.request('small.ts', { resume: folder }));
      expect(again.ended, `seed ${seed}`).toMatchObject({ status: 'finished', step: overrides.steps });
      expect(metricsText(folder), `seed ${seed}`).toBe(wanted);
    }
  }, 240_000);

  it('drops a torn last line, and refuses one in the middle with its place', async () => {
    const client = await trainers.start();
    const { folder } = await trainers.finish(client, trainers.request('small.ts'));
    const rows = readRun(folder).metrics.step.length;
    const text = metricsText(folder);
    truncateSync(metricsFile(folder), text.length - 7);
    expect(readRun(folder).metrics.step.length).toBe(rows - 1);
    appendFileSync(metricsFile(folder), `\n${text.split('\n')[0]}\n`);
    expect(() => readLines(metricsFile(folder))).toThrow(`metrics.jsonl:${rows} is not JSON`);
  });
});

describe('a run whose window closes', () => {
  it('ends as interrupted with a checkpoint of its last step, and goes on from exactly there', async () => {
    const client = await trainers.start();
    const info = next(client, 'started');
    const gone = new Promise((resolve) => client.onExit(resolve));
    client.run(trainers.request('small.ts', { overrides: { ...overrides, steps: 40_000 } }));
    const { folder } = (await info).info;
    await next(client, 'frame', (f) => (f.metrics.step.at(-1) ?? 0) > 150);
    client.dispose();
    expect(await gone).toMatchObject({ code: 0 });
    const { status, ended } = readRunFile(folder);
    expect(status).toBe('interrupted');
    const at = ended?.step ?? 0;
    expect(lastCheckpoint(folder)).toContain(String(at).padStart(8, '0'));
    const again = await trainers.start();
    const steps = at + 300;
    const resumed = trainers.request('small.ts', { resume: folder, overrides: { steps } });
    expect((await trainers.finish(again, resumed)).ended.step).toBe(steps);
    const whole = await trainers.finish(
      again,
      trainers.request('small.ts', { overrides: { ...overrides, steps } }),
    );
    const losses = (of: string) => {
      const { step, columns } = readRun(of).metrics;
      // The row of the interruption is one more evaluation, which an undisturbed run does not make.
      return Array.from(step, (s, i) => [s, columns['loss'][i]]).filter(([s]) => s !== at);
    };
    expect(losses(folder)).toEqual(losses(whole.folder));
  });
});

describe('a run whose data have changed', () => {
  it('does not go on with them, and touches nothing', async () => {
    const rows = (slope: number) =>
      `a,y\n${Array.from({ length: 24 }, (_, i) => `${i},${slope * i}`).join('\n')}\n`;
    const [file, data] = ['model.ts', 'data.csv'].map((name) => path.join(place.path, name));
    writeFileSync(data, rows(1));
    writeFileSync(
      file,
      `import { csv, defineExperiment, twoLayer } from 'kernelscope';
export default defineExperiment({ model: twoLayer({ width: 8 }), data: csv({ path: 'data.csv' }), steps: 40, probe: 4 });
`,
    );
    const client = await trainers.start();
    const { folder } = await trainers.finish(client, trainers.request(file));
    const run = JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8')) as Record<string, unknown>;
    const cut = JSON.stringify({ ...run, status: 'running', ended: undefined });
    writeFileSync(path.join(folder, 'run.json'), cut);
    truncateSync(metricsFile(folder), 100);
    writeFileSync(data, rows(2));
    const error = next(client, 'error');
    client.run(trainers.request(file, { resume: folder }));
    expect((await error).message).toMatch(
      /^The data of .*model\.ts are not those that this run began with \(their SHA-256 was/,
    );
    expect(readFileSync(path.join(folder, 'run.json'), 'utf8')).toBe(cut);
    expect(metricsText(folder)).toHaveLength(100);
  });
});

describe('a run whose file has changed', () => {
  it('does not go on as another run, and names the fields', async () => {
    const file = path.join(place.path, 'model.ts');
    copyFileSync(model('small.ts'), file);
    const client = await trainers.start();
    const { folder } = await trainers.finish(client, trainers.request(file));
    writeFileSync(file, readFileSync(file, 'utf8').replace('width: 64', 'width: 66'));
    const error = next(client, 'error');
    client.run(trainers.request(file, { resume: folder }));
    expect((await error).message).toMatch(/has changed since this run began \(model\.width\)/);
    expect(readRunFile(folder).status).toBe('finished');
  });
});
