import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RunEnded, RunRecord, RunStarted } from '../../src/protocol/records.js';
import type { Marks, RunFile } from '../../src/runs/index.js';
import { Death, type FailingFs, type Moment } from '../helpers/failingFs.js';
import { temporaryFolder } from '../helpers/folders.js';

const fails = vi.hoisted(() => ({ current: null as unknown as FailingFs }));
vi.mock('node:fs', async (original) => {
  const { FailingFs: Failing } = await import('../helpers/failingFs.js');
  fails.current = new Failing();
  return fails.current.wrap(await original());
});

// Each `fresh` is a process of its own; those before it are dead.
const processes = vi.hoisted(() => ({ current: 1_000_000 }));
vi.mock('../../src/runs/files/process.js', async (original) => ({
  ...(await original<typeof import('../../src/runs/files/process.js')>()),
  ownIdentity: () => ({ pid: processes.current, started: '7', boot: '0abc' }),
  isAlive: ({ pid }: { pid: number }) => pid === processes.current,
}));

// By name, at every operation: KERNELSCOPE_CRASHES=all npx vitest run --config test/vitest.config.ts --project unit test/unit/run-files.test.ts
const stride = process.env['KERNELSCOPE_CRASHES'] === 'all' ? 1 : 5;
const chosen = (operations: number): number[] =>
  Array.from({ length: Math.ceil(operations / stride) }, (_, i) => 1 + i * stride);

type Runs = typeof import('../../src/runs/index.js');
/** The module as a new process has it. */
async function fresh(): Promise<Runs> {
  vi.resetModules();
  processes.current++;
  return import('../../src/runs/index.js');
}

let place: ReturnType<typeof temporaryFolder>;
let failing: FailingFs;
beforeEach(() => {
  failing = fails.current;
  failing.begin(null);
  failing.mostAtOnce = Number.POSITIVE_INFINITY;
  place = temporaryFolder();
});
afterEach(() => {
  failing.begin(null);
  place.clean();
});

const info = (folder: string): RunStarted => ({
  run: path.basename(folder),
  folder,
  name: 'a run',
  source: { file: '/somewhere/model.ts', exportName: 'default' },
  definition: { steps: 9 },
  backend: { name: 'wasm', why: '' },
  steps: 9,
  learningRate: 0.1,
  parameters: 3,
  layers: ['dense'],
  probe: { size: 2, outputs: 1, labels: [] },
  outputs: 1,
  train: 4,
  test: 0,
  seed: 1,
  startedAt: '2026-01-01T00:00:00.000Z',
});
const runFile = (folder: string): RunFile => ({
  schemaVersion: 1,
  info: info(folder),
  status: 'running',
  request: { overrides: {} },
  pid: process.pid,
  source: { sha256: '', gitCommit: null },
  versions: {},
  machine: { platform: 'linux', arch: 'x64', cpu: '', cores: 1, memoryGiB: 1 },
});
const ended: RunEnded = { status: 'finished', step: 8 };

/** Records of a step; every third is followed by a checkpoint. */
const recordsOf = (step: number): RunRecord[] => [
  { kind: 'metrics', step, time: step / 10, values: { loss: 1 / (step + 1), tax: 0.1 } },
  { kind: 'snapshot', name: 'kernel', step, time: 0, shape: [2, 2], data: Float32Array.of(1, 2, 2, step) },
  { kind: 'snapshot', name: 'energy', step, time: 0, shape: [2], data: Float32Array.of(step, 1) },
  { kind: 'note', step, level: 'info', text: `Step ${step} – ünïcode.` },
];

interface Saved {
  readonly step: number;
  readonly marks: Marks;
}

/** A run of nine steps, from nothing or from its last checkpoint. */
function write(runs: Runs, folder: string): void {
  const last = runs.lastCheckpoint(folder);
  const saved = last === null ? null : (JSON.parse(readFileSync(last, 'utf8')) as Saved);
  const begun = existsSync(path.join(folder, 'run.json'));
  const writer = begun
    ? runs.RunWriter.resume(folder, runs.readRunFile(folder), saved && { ...saved, measured: true })
    : runs.RunWriter.create(folder, runFile(folder));
  try {
    for (let step = (saved?.step ?? -1) + 1; step < 9; step++) {
      for (const record of recordsOf(step)) writer.record(record);
      if (step % 3 === 2)
        runs.writeAtomically(
          path.join(folder, runs.checkpointPath(step)),
          JSON.stringify({ step, marks: writer.settle() }),
        );
    }
    writer.end(ended);
  } finally {
    writer.close();
  }
}

/** Everything that a run folder holds but clocks and processes. */
function contents(folder: string): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const file = path.join(at, entry.name);
      if (entry.isDirectory()) walk(file);
      else if (entry.name !== 'timing.jsonl') {
        const text = readFileSync(file, 'latin1');
        const name = path.relative(folder, file);
        const {
          pid: _pid,
          owner: _owner,
          ...rest
        } = name === 'run.json' ? (JSON.parse(text) as RunFile) : ({} as RunFile);
        out[name] =
          name === 'run.json'
            ? JSON.stringify({ ...rest, info: { ...rest.info, folder: '', run: '' } })
            : text.replace(/"timing":\d+/, '');
      }
    }
  };
  walk(folder);
  return out;
}

/** Whole lines, whole arrays, whole run.json: what a reader wants at any moment. */
function requireReadable(runs: Runs, folder: string): number {
  if (!existsSync(path.join(folder, 'run.json'))) return -1;
  const { metrics } = runs.readRun(folder);
  runs.readSnapshots(folder);
  const steps = Array.from(metrics.step);
  expect(steps).toEqual(steps.map((_, i) => i));
  return steps.at(-1) ?? -1;
}

describe('writing a run folder', () => {
  it('comes to the same folder when its process dies at any operation on files, and goes on', async () => {
    const whole = path.join(place.path, 'whole');
    write(await fresh(), whole);
    const operations = failing.count;
    const wanted = contents(whole);
    expect(operations).toBeGreaterThan(150);
    let deaths = 0;
    for (const moment of ['before', 'mid', 'after'] as const)
      for (const at of chosen(operations)) {
        const where = `${moment} operation ${at}`;
        const folder = path.join(place.path, `${moment}-${at}`);
        failing.begin({ at, moment, how: 'death' });
        const runs = await fresh();
        try {
          write(runs, folder);
        } catch (error) {
          expect(error, where).toBeInstanceOf(Death);
          deaths++;
        }
        failing.begin(null);
        const next = await fresh();
        requireReadable(next, folder);
        write(next, folder);
        expect(contents(folder), where).toEqual(wanted);
      }
    process.stdout.write(`${deaths} deaths in ${operations} operations: nothing lost\n`);
    expect(deaths).toBe(3 * chosen(operations).length);
  }, 240_000);

  it('says in a sentence what fails, harms nothing, and goes on once there is room', async () => {
    const whole = path.join(place.path, 'whole');
    write(await fresh(), whole);
    const operations = failing.count;
    const wanted = contents(whole);
    let told = 0;
    for (const [moment, code] of [
      ['mid', 'ENOSPC'],
      ['before', 'EROFS'],
    ] as [Moment, string][])
      for (const at of chosen(operations)) {
        const where = `${code} from operation ${at}`;
        const folder = path.join(place.path, `${code}-${at}`);
        failing.begin({ at, moment, how: { code, forEver: true } });
        const runs = await fresh();
        let last = -1;
        try {
          write(runs, folder);
        } catch (error) {
          expect(error, where).toBeInstanceOf(runs.WriteError);
          expect((error as Error).message, where).toMatch(/^\/.* cannot be written: .*\. What was .*\.$/);
          told++;
        }
        failing.begin(null);
        const next = await fresh();
        last = requireReadable(next, folder);
        expect(last).toBeLessThan(9);
        write(next, folder);
        expect(contents(folder), where).toEqual(wanted);
      }
    process.stdout.write(`${told} failures told in a sentence\n`);
    expect(told).toBeGreaterThan(chosen(operations).length);
  }, 240_000);

  it('writes whole files through a system that takes a few bytes at a time', async () => {
    failing.mostAtOnce = 3;
    const slow = path.join(place.path, 'slow');
    write(await fresh(), slow);
    failing.mostAtOnce = Number.POSITIVE_INFINITY;
    const fast = path.join(place.path, 'fast');
    write(await fresh(), fast);
    expect(contents(slow)).toEqual(contents(fast));
  });

  it('refuses a folder that is deleted under it', async () => {
    const runs = await fresh();
    const folder = path.join(place.path, 'gone');
    const writer = runs.RunWriter.create(folder, runFile(folder));
    for (const record of recordsOf(0)) writer.record(record);
    const { rmSync } = await vi.importActual<typeof import('node:fs')>('node:fs');
    rmSync(folder, { recursive: true });
    expect(() => writer.record(recordsOf(1)[0])).toThrow(/metrics\.jsonl cannot be written: it was deleted/);
    writer.close();
  });
});

describe('a file of lines', () => {
  const log = async () => (await import('../../src/runs/files/appendLog.js')).AppendLog;

  it('drops what is torn, or what comes after a size, when it is opened', async () => {
    const file = path.join(place.path, 'lines');
    const AppendLog = await log();
    for (const [before, size, after] of [
      ['one\ntwo\nthr', undefined, 'one\ntwo\n'],
      ['one\ntwo\nthree\n', 4, 'one\n'],
      ['no end', undefined, ''],
      [`${'x'.repeat(200_000)}\n${'y'.repeat(150_000)}`, undefined, `${'x'.repeat(200_000)}\n`],
    ] as const) {
      writeFileSync(file, before);
      const lines = new AppendLog(file);
      lines.open(size);
      lines.append('new\n');
      lines.close();
      expect(readFileSync(file, 'utf8')).toBe(`${after}new\n`);
    }
  });

  it('takes back a part of a line when the disk is full', async () => {
    const file = path.join(place.path, 'lines');
    const AppendLog = await log();
    const lines = new AppendLog(file);
    lines.append('one\n');
    failing.begin({ at: 1, moment: 'mid', how: { code: 'ENOSPC', forEver: false } });
    expect(() => lines.append('two\n')).toThrow('lines cannot be written: the disk is full');
    expect(readFileSync(file, 'utf8')).toBe('one\n');
    lines.append('three\n');
    expect(readFileSync(file, 'utf8')).toBe('one\nthree\n');
    lines.close();
  });
});

describe('a label or a pin', () => {
  it('leaves run.json whole when the disk is full, at every operation', async () => {
    const folder = path.join(place.path, 'pinned');
    write(await fresh(), folder);
    const before = readFileSync(path.join(folder, 'run.json'), 'utf8');
    for (let at = 1; at < 12; at++) {
      const runs = await fresh();
      failing.begin({ at, moment: 'mid', how: { code: 'ENOSPC', forEver: true } });
      let failed = false;
      try {
        runs.editRun(folder, { pinned: true });
      } catch (error) {
        failed = true;
        expect((error as Error).message).toContain('cannot be written: the disk is full');
      }
      failing.begin(null);
      const now = readFileSync(path.join(folder, 'run.json'), 'utf8');
      if (failed)
        expect([before, now.replace(/,\n "pinned": true/, '')]).toContain(
          now.replace(/,\n "pinned": true/, ''),
        );
      else expect(runs.readRunFile(folder).pinned).toBe(true);
      expect(() => runs.readRunFile(folder)).not.toThrow();
      runs.editRun(folder, { pinned: undefined });
    }
  });

  it('is not lost to a writer that saves at the same time', async () => {
    const runs = await fresh();
    const folder = path.join(place.path, 'both');
    const writer = runs.RunWriter.create(folder, runFile(folder));
    runs.editRun(folder, { label: 'mine', pinned: true });
    writer.end(ended);
    expect(runs.readRunFile(folder)).toMatchObject({ label: 'mine', pinned: true, status: 'finished' });
  });
});

describe('what dead writers left', () => {
  it('is cleaned, and what living ones write is not', async () => {
    const runs = await fresh();
    const folder = path.join(place.path, 'left');
    mkdirSync(path.join(folder, 'arrays', 'energy'), { recursive: true });
    const dead = ['run.json.99999999.tmp', 'arrays/energy/1.npy.99999999-5-0abc.0.tmp', 'metrics.jsonl'];
    for (const name of dead) writeFileSync(path.join(folder, name), 'x');
    const alive = `run.json.${processes.current}.tmp`;
    writeFileSync(path.join(folder, alive), 'x');
    runs.cleanLeftovers(folder);
    expect(dead.map((name) => existsSync(path.join(folder, name)))).toEqual([false, false, true]);
    expect(existsSync(path.join(folder, alive))).toBe(true);
  });
});
