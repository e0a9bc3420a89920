import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sweepCost } from '../../src/extension/commands/sweepCost.js';
import { groupRuns, storedItem } from '../../src/extension/views/runNodes.js';
import { changedFields, lossSketch, type RunFile } from '../../src/runs/index.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  place = temporaryFolder();
});
afterEach(() => place.clean());

const write = (rows: number): void => {
  const lines = Array.from({ length: rows }, (_, step) =>
    JSON.stringify({ step, time: step, loss: rows - step }),
  );
  writeFileSync(path.join(place.path, 'metrics.jsonl'), `${lines.join('\n')}\n`);
};

describe('the sketch of a run', () => {
  it.each([1, 2, 12, 100, 100_000])('goes from the first to the last loss of %i rows', (rows) => {
    write(rows);
    const sketch = lossSketch(place.path);
    expect(sketch[0]).toBe(rows);
    expect(sketch.at(-1)).toBe(1);
    expect(sketch).toHaveLength(Math.min(rows, 12));
    expect([...sketch].sort((a, b) => b - a)).toEqual(sketch);
  });

  it('leaves out a torn last line and losses that are not finite, and is empty without a file', () => {
    write(3);
    appendFileSync(path.join(place.path, 'metrics.jsonl'), '{"step":3,"loss":null}\n{"step":4,"lo');
    expect(lossSketch(place.path)).toEqual([3, 2, 1]);
    expect(lossSketch(path.join(place.path, 'nowhere'))).toEqual([]);
  });
});

const run = (name: string, more: Partial<RunFile> = {}): RunFile =>
  ({
    info: {
      run: name,
      folder: path.join(place.path, name),
      name,
      startedAt: `2026-01-0${name.length}`,
      source: { file: '/models/a.ts', exportName: 'default' },
      definition: { model: { kind: 'twoLayer', width: 64 }, steps: 100 },
    },
    status: 'finished',
    ended: { status: 'finished', step: 100, summary: { seconds: 10 } },
    ...more,
  }) as RunFile;

describe('the cost of a sweep', () => {
  it('is unknown without an earlier run, and grows with width and steps of every cell', () => {
    expect(sweepCost(['model.width=64,128', 'seed=0..2'], undefined)).toEqual({ cells: 6, seconds: null });
    const { cells, seconds } = sweepCost(['model.width=64,128', 'seed=0..2', 'steps=100,200'], run('x'));
    expect(cells).toBe(12);
    // 10 s times (1 + 2) widths, 3 seeds, (1 + 2) lengths; and the starts of 12 trainers.
    expect(seconds).toBeCloseTo(10 * 3 * 3 * 3 + 12 * 1.5);
  });
});

describe('the groups of the tree', () => {
  it('hold a file’s sweeps first, then its pinned runs, then the newest', () => {
    const sweep = path.join(place.path, 'sweep-1');
    mkdirSync(sweep, { recursive: true });
    const cell = (name: string) => {
      const file = run(name, { sweep: 'sweep-1' });
      return storedItem({ ...file, info: { ...file.info, folder: path.join(sweep, name) } });
    };
    const items = [
      ...['width=128', 'width=64'].map(cell),
      storedItem(run('a')),
      storedItem(run('bb', { pinned: true })),
      storedItem(run('ccc')),
    ];
    const [group, ...others] = groupRuns(items);
    expect(others).toEqual([]);
    const names = group.children.map((child) => child.name);
    expect(names).toEqual(['sweep-1', 'bb', 'ccc', 'a']);
    const [node] = group.children;
    expect(node.kind === 'sweep' && node.runs.map((r) => r.name)).toEqual(['width=64', 'width=128']);
  });
});

describe('changed fields', () => {
  it('are named by their paths, lists as a whole', () => {
    const before = { model: { width: 4, hidden: [1, 2] }, steps: 3 };
    expect(changedFields(before, { model: { width: 5, hidden: [1, 3] }, steps: 3, seed: 1 })).toEqual([
      'model.width',
      'model.hidden',
      'seed',
    ]);
    expect(changedFields(before, structuredClone(before))).toEqual([]);
  });
});
