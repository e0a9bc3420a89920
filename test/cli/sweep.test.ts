import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRun, readRunFile, readSweepFile } from '../../src/runs/index.js';
import { cli } from '../helpers/cli.js';
import { model, root, temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  place = temporaryFolder();
});
afterEach(() => place.clean());

const out = (name = 'sweep') => path.join(place.path, name);
const widths = ['--vary', 'model.width=8,16,32', '--vary', 'seed=0..1'];
const sweepArgs = (folder: string, ...more: string[]) => [
  'sweep',
  model('small.ts'),
  ...['--out', folder, '--backend', 'wasm', '--set', 'steps=12', '--set', 'measure.kernels=3'],
  ...more,
];

interface SweepJson {
  readonly sweep: string;
  readonly cells: readonly {
    readonly id: string;
    readonly values: { readonly 'model.width': number; readonly seed: number };
    readonly status: string;
    readonly steps: number;
    readonly metrics: Readonly<Record<string, number | null>>;
  }[];
  readonly fits: readonly {
    readonly metric: string;
    readonly variable: string;
    readonly slope: number;
    readonly interval: readonly [number, number];
    readonly points: number;
  }[];
}

/** Metrics of every cell of a sweep, as text. */
const metricsOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder)
      .filter((name) => existsSync(path.join(folder, name, 'metrics.jsonl')))
      .map((name) => [name, readFileSync(path.join(folder, name, 'metrics.jsonl'), 'utf8')]),
  );

/** Starts a sweep, sends a signal as soon as a condition holds, and resolves with how it ended. */
function interrupted(
  args: readonly string[],
  when: () => boolean,
  signal: NodeJS.Signals,
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [path.join(root, 'dist', 'cli.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const timer = setInterval(() => {
    if (!when()) return;
    clearInterval(timer);
    child.kill(signal);
  }, 10);
  return new Promise((resolve) =>
    child.on('close', (code) => {
      clearInterval(timer);
      resolve({ code, stderr });
    }),
  );
}

describe('kernelscope sweep', () => {
  it('runs a grid, fits exponents over all seeds, and writes a page with bands and every cell', () => {
    const { code, stdout } = cli(sweepArgs(out(), ...widths, '--json', '--jobs', '2'));
    expect(code).toBe(0);
    const { cells, fits } = JSON.parse(stdout) as SweepJson;
    expect(cells.map((c) => [c.values['model.width'], c.values.seed])).toEqual([
      [8, 0],
      [8, 1],
      [16, 0],
      [16, 1],
      [32, 0],
      [32, 1],
    ]);
    expect(new Set(cells.map((c) => c.status))).toEqual(new Set(['finished']));
    const drift = fits.find((f) => f.metric === 'drift' && f.variable === 'model.width');
    expect(drift?.points).toBe(6);
    expect(drift?.interval[0]).toBeLessThan(drift?.slope ?? Number.NaN);
    const page = readFileSync(path.join(out(), 'index.html'), 'utf8');
    expect(page).toContain('All 6 runs are done.');
    expect(page).toMatch(/<polygon [^>]*fill-opacity/);
    expect(page).toMatch(/slope -?\d+\.\d\d \[/);
    expect(page).not.toMatch(/<script/);
    expect(readSweepFile(out())).toMatchObject({
      total: 6,
      request: { vary: ['model.width=8,16,32', 'seed=0..1'] },
    });
  });

  it('parts a grid among machines: the shards have every cell once, and their folder is the whole sweep', () => {
    const first = JSON.parse(
      cli(sweepArgs(out(), ...widths, '--shard', '1/2', '--json')).stdout,
    ) as SweepJson;
    expect(first.cells).toHaveLength(3);
    expect(readFileSync(path.join(out(), 'index.html'), 'utf8')).toContain('waiting');
    const second = JSON.parse(
      cli(sweepArgs(out(), ...widths, '--shard', '2/2', '--json')).stdout,
    ) as SweepJson;
    expect(second.cells).toHaveLength(6);
    const whole = cli(sweepArgs(out('whole'), ...widths, '--json', '--jobs', '2'));
    expect(whole.code).toBe(0);
    expect(metricsOf(out())).toEqual(metricsOf(out('whole')));
  });

  it('keeps what is done when it is cancelled, and goes on to the numbers of an undisturbed sweep', async () => {
    const args = (folder: string) =>
      sweepArgs(
        folder,
        '--set',
        'steps=1500',
        '--set',
        'measure.metricsEvery=1',
        '--vary',
        'model.width=8,16',
      );
    const first = path.join(out(), 'width=8', 'run.json');
    const second = path.join(out(), 'width=16', 'metrics.jsonl');
    const { code, stderr } = await interrupted(
      args(out()),
      () => existsSync(second) && statSync(second).size > 2000,
      'SIGINT',
    );
    expect(code).toBe(130);
    expect(stderr).toMatch(/1 of 2 cells done; the same command goes on/);
    const before = readFileSync(first, 'utf8');
    expect(JSON.parse(before)).toMatchObject({ status: 'finished' });
    expect(readRunFile(path.join(out(), 'width=16')).status).toBe('stopped');
    expect(readSweepFile(out())?.cells.map((c) => c.status)).toEqual(['finished', 'stopped']);
    const again = cli([...args(out()), '--json']);
    expect(again.code).toBe(0);
    // What was done is not done again.
    expect(readFileSync(first, 'utf8')).toBe(before);
    expect(cli([...args(out('whole')), '--json']).code).toBe(0);
    const last = (folder: string) => readRun(path.join(folder, 'width=16')).metrics;
    expect(last(out()).step.at(-1)).toBe(1500);
    expect(last(out()).columns['loss'].at(-1)).toBe(last(out('whole')).columns['loss'].at(-1));
  });

  it('goes on after it was killed', async () => {
    const args = sweepArgs(out(), '--set', 'steps=1500', '--vary', 'model.width=8,16,32');
    const second = path.join(out(), 'width=16', 'run.json');
    await interrupted(args, () => existsSync(second), 'SIGKILL');
    expect(readRunFile(path.join(out(), 'width=8')).status).toBe('finished');
    // Its trainer leaves by itself, in order.
    for (let i = 0; i < 100 && readRunFile(path.join(out(), 'width=16')).status === 'running'; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(['interrupted', 'finished']).toContain(readRunFile(path.join(out(), 'width=16')).status);
    const { code, stdout } = cli([...args, '--json']);
    expect(code).toBe(0);
    const { cells } = JSON.parse(stdout) as SweepJson;
    expect(cells.map((c) => [c.status, c.steps])).toEqual(Array(3).fill(['finished', 1500]));
  });

  it('draws the phase diagram over width and scale', () => {
    const { code } = cli(
      sweepArgs(
        out(),
        '--vary',
        'model.width=8,32',
        '--vary',
        'model.scale=1,4',
        '--vary',
        'seed=0..1',
        '--json',
      ),
    );
    expect(code).toBe(0);
    const page = readFileSync(path.join(out(), 'index.html'), 'utf8');
    expect(page).toContain('Phase diagram: regime over model.width and model.scale');
    expect(page.match(/<td style="background:#/g)).toHaveLength(4);
  });

  it('says what is wrong with a grid', () => {
    const wrong = (...more: string[]) => cli(sweepArgs(out(), ...more));
    expect(wrong('--vary', 'seed=0..1', '--vary', 'seed=2')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('names seed twice'),
    });
    expect(wrong('--vary', 'seed=0..1', '--shard', '3/2')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('I from 1 to N'),
    });
    expect(wrong('--vary', 'model.width=-3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('model.width'),
    });
  });
});
