import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/core/errors.js';
import { RunIndex } from '../../src/extension/runs/runIndex.js';
import {
  compareRuns,
  damagedRuns,
  importRun,
  listRuns,
  type RunFile,
  RunWriter,
  readRun,
  readRunFile,
  readSweepFile,
  runIdOf,
} from '../../src/runs/index.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
let runs: string;
beforeEach(() => {
  place = temporaryFolder();
  runs = path.join(place.path, '.kernelscope', 'runs');
});
afterEach(() => place.clean());

const run = (name: string): RunFile => ({
  schemaVersion: 1,
  info: {
    run: name,
    folder: path.join(runs, name),
    name,
    source: { file: '/home/someone/model.ts', exportName: 'default' },
    definition: { steps: 2, model: { width: 4 } },
    backend: { name: 'wasm', why: '' },
    steps: 2,
    learningRate: 0.1,
    parameters: 3,
    layers: ['dense'],
    probe: { size: 2, outputs: 1, labels: [] },
    outputs: 1,
    train: 4,
    test: 0,
    seed: 1,
    startedAt: '2026-01-01T00:00:00.000Z',
  },
  status: 'running',
  request: { overrides: {} },
  pid: process.pid,
  source: { sha256: '', gitCommit: null },
  versions: {},
  machine: { platform: 'linux', arch: 'x64', cpu: '', cores: 1, memoryGiB: 1 },
});
function record(name: string, folder = path.join(runs, name)): string {
  const writer = RunWriter.create(folder, run(name));
  writer.record({ kind: 'metrics', step: 0, time: 0, values: { loss: 1 } });
  writer.record({ kind: 'note', step: 0, level: 'info', text: 'A note.' });
  writer.record({ kind: 'snapshot', name: 'kernel', step: 0, time: 0, shape: [1], data: Float32Array.of(1) });
  writer.end({ status: 'finished', step: 2 });
  return folder;
}

type Json = { [key: string]: unknown };
const at = (value: unknown, keys: readonly string[]): Json =>
  keys.reduce((inner, key) => (inner as Json)[key] as Json, value as Json);

/** Every field of run.json that something relies on, as something else. */
const edits: readonly (readonly [string, (file: Json) => unknown])[] = [
  ['no object', () => []],
  ['null', () => null],
  ['a number', () => 3],
  ...[
    'info',
    'info.name',
    'info.source',
    'info.source.file',
    'info.definition',
    'info.backend',
    'info.backend.name',
    'info.startedAt',
    'info.parameters',
    'info.layers',
    'info.probe',
    'info.probe.labels',
    'status',
    'request',
    'request.overrides',
    'source',
    'versions',
    'ended.status',
    'schemaVersion',
  ].flatMap((field) =>
    [undefined, null, 7.5, {}, [], 'nonsense', -1].flatMap((value) => {
      const keys = field.split('.');
      const name = keys.pop() as string;
      return [
        [
          `${field} = ${JSON.stringify(value)}`,
          (file: Json) => {
            at(file, keys)[name] = value;
            return file;
          },
        ] as const,
      ];
    }),
  ),
  ['label = 3', (file) => ({ ...file, label: 3 })],
  ['pinned = "yes"', (file) => ({ ...file, pinned: 'yes' })],
  ['sweep = {}', (file) => ({ ...file, sweep: {} })],
  ['ended = []', (file) => ({ ...file, ended: 'then' })],
  ['a summary without a loss', (file) => ({ ...file, ended: { status: 'finished', step: 1, summary: {} } })],
];

describe('a run.json that something has changed', () => {
  it('is told with its field, and hides no run beside it', () => {
    record('good');
    const bad = record('bad');
    const file = path.join(bad, 'run.json');
    const whole = readFileSync(file, 'utf8');
    let damaged = 0;
    for (const [name, edit] of edits) {
      writeFileSync(file, JSON.stringify(edit(JSON.parse(whole) as Json)));
      const index = new RunIndex();
      const shown = index.list([runs]);
      expect(
        shown.map((r) => r.info.run),
        name,
      ).toContain('good');
      expect(
        listRuns(runs).map((r) => r.info.run),
        name,
      ).toContain('good');
      expect(damagedRuns(runs), name).toEqual(index.damaged);
      for (const stored of shown) {
        // What every view does with a run.
        expect(new Date(stored.info.startedAt).getTime(), name).not.toBeNaN();
        expect(typeof (stored.label ?? stored.info.name), name).toBe('string');
        expect(path.basename(stored.info.source.file), name).toBeTruthy();
        expect(stored.info.parameters.toLocaleString(), name).toBeTruthy();
        if (stored.ended?.summary) expect(typeof stored.ended.summary.loss, name).toBe('object');
      }
      if (shown.length === 2) continue;
      damaged++;
      expect(index.damaged, name).toHaveLength(1);
      expect(index.damaged[0].reason, name).toMatch(
        /run\.json (is damaged: .* is .*|has schema version .*)\.$/,
      );
      expect(() => readRun(bad), name).toThrow(InputError);
    }
    expect(damaged).toBeGreaterThan(90);
    writeFileSync(file, whole.slice(0, 40));
    expect(damagedRuns(runs)[0].reason).toContain('run.json cannot be read');
    writeFileSync(file, '{"__proto__": {"schemaVersion": 1}}');
    expect(damagedRuns(runs)).toHaveLength(1);
    // A newer version is not damage, but not readable either.
    writeFileSync(file, JSON.stringify({ schemaVersion: 99 }));
    expect(damagedRuns(runs)[0].reason).toContain('Update Kernelscope');
  });

  it('says nothing of who the run is: its folder does', () => {
    const [one, two] = [record('one'), record('two')];
    for (const folder of [one, two]) {
      const file = path.join(folder, 'run.json');
      const json = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
      writeFileSync(
        file,
        JSON.stringify({ ...json, info: { ...json.info, run: '../../x', folder: '/etc' } }),
      );
    }
    expect(
      listRuns(runs)
        .map(({ info }) => [info.run, info.folder])
        .sort(),
    ).toEqual([
      ['one', one],
      ['two', two],
    ]);
    const cell = path.join(place.path, '.kernelscope', 'sweeps', 'sweep-1', 'seed=0');
    expect(runIdOf(cell)).toBe('sweep-1/seed=0');
    expect(readRunFile(record('seed=0', cell)).info.run).toBe('sweep-1/seed=0');
  });

  it('leaves rows that are none to their file and line', () => {
    const folder = record('rows');
    const file = path.join(folder, 'metrics.jsonl');
    for (const row of ['null', '3', '[]', '{"loss": 1}', '{"step": "4"}', '"text"']) {
      writeFileSync(file, `{"step":0,"time":0,"loss":1}\n${row}\n`);
      expect(() => readRun(folder), row).toThrow(/metrics\.jsonl:2 is no row of a run/);
    }
    writeFileSync(file, '{"step":0,"time":0,"loss":{},"x":"y"}\n');
    expect(readRun(folder).metrics.columns['loss'][0]).toBeNaN();
    writeFileSync(path.join(folder, 'events.jsonl'), '{"step":0}\n{"step":1,"kind":"note","text":4}\n');
    expect(readRun(folder).events).toEqual([]);
    expect(() => compareRuns([folder, folder])).not.toThrow();
  });

  it('is a sweep.json too', () => {
    const file = path.join(place.path, 'sweep.json');
    const good = { request: { file: 'm.ts', vary: ['a=1'], set: [] }, total: 1, cells: [] };
    writeFileSync(file, JSON.stringify(good));
    expect(readSweepFile(place.path)).toMatchObject(good);
    for (const bad of [
      null,
      [],
      { ...good, cells: [null] },
      { ...good, cells: [{ id: 1, status: 'finished' }] },
      { ...good, request: { ...good.request, vary: [3] } },
      { ...good, total: '1' },
    ]) {
      writeFileSync(file, JSON.stringify(bad));
      expect(readSweepFile(place.path), JSON.stringify(bad)).toBeNull();
    }
  });
});

describe('a run that is imported', () => {
  const outside = () => record('foreign', path.join(place.path, 'elsewhere', 'foreign run'));
  const everything = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .sort();

  it('comes under a name of ours, whatever it calls itself, and brings its own files only', () => {
    const source = outside();
    const file = path.join(source, 'run.json');
    const json = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
    for (const name of ['../../.vscode', '/etc/cron.d', '..', 'a/b', '', '.ssh']) {
      writeFileSync(file, JSON.stringify({ ...json, info: { ...json.info, run: name, folder: name } }));
      mkdirSync(path.join(source, '.vscode'), { recursive: true });
      writeFileSync(path.join(source, '.vscode', 'tasks.json'), '{}');
      writeFileSync(path.join(source, 'tasks.json'), '{}');
      mkdirSync(path.join(source, 'arrays', 'energy', 'deeper'), { recursive: true });
      writeFileSync(path.join(source, 'arrays', 'energy', '00000000.npy.exe'), '');
      writeFileSync(path.join(source, 'arrays', 'energy', 'deeper', '00000000.npy'), '');
    }
    symlinkSync('/etc/passwd', path.join(source, 'timing.jsonl.link'));
    symlinkSync('/etc', path.join(source, 'spectra'));
    const before = everything(place.path);
    const target = importRun(source, runs);
    expect(target).toBe(path.join(runs, 'foreign_run'));
    expect(everything(target)).toEqual([
      'events.jsonl',
      path.join('kernels', '00000000.npy'),
      'metrics.jsonl',
      'run.json',
      'timing.jsonl',
    ]);
    // Nothing but that folder is new.
    expect(everything(place.path).filter((name) => !name.startsWith('.kernelscope'))).toEqual(
      before.filter((name) => !name.startsWith('.kernelscope')),
    );
    expect(readdirSync(runs)).toEqual(['foreign_run']);
    expect(readRunFile(target)).toMatchObject({
      imported: true,
      info: { run: 'foreign_run', folder: target },
    });
    expect(readRun(target).metrics.step).toHaveLength(1);
    expect(importRun(source, runs)).toBe(path.join(runs, 'foreign_run-2'));
  });

  it('is refused where it is none, is damaged, or is here already', () => {
    expect(() => importRun(place.path, runs)).toThrow('is not a run folder');
    const source = outside();
    writeFileSync(path.join(source, 'run.json'), '{"schemaVersion": 1}');
    expect(() => importRun(source, runs)).toThrow('is damaged: "info" is missing');
    expect(() => importRun(record('here'), runs)).toThrow('lies among the runs already');
    expect(readdirSync(runs)).toEqual(['here']);
  });
});
