import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRunFile, readSweepFile } from '../../src/runs/index.js';
import { type CliOutcome, cli } from '../helpers/cli.js';
import { model, root, temporaryFolder } from '../helpers/folders.js';

const hostName = os.hostname().replace(/[^A-Za-z0-9-]/g, '-');
let place: ReturnType<typeof temporaryFolder>;
beforeEach(() => {
  place = temporaryFolder();
});
afterEach(() => place.clean());

const at = (...names: string[]) => path.join(place.path, ...names);
const file = (name: string, text: string): string => {
  mkdirSync(path.dirname(at(name)), { recursive: true });
  writeFileSync(at(name), text);
  return at(name);
};

/** The command line beside others. */
function beside(args: readonly string[]): Promise<CliOutcome> {
  const child = spawn(process.execPath, [path.join(root, 'dist', 'cli.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

const regression = (rows: number, slope: number): string =>
  `a,b,y\n${Array.from({ length: rows }, (_, i) => `${i % 7},${i % 5},${slope * (i % 7) + (i % 3)}`).join('\n')}\n`;
const csvModel = (data: string): string => `import { csv, defineExperiment, twoLayer } from 'kernelscope';
export default defineExperiment({
  model: twoLayer({ width: 8, scale: 'ntk' }),
  data: csv({ path: '${data}' }),
  loss: 'mse',
  steps: 30,
  probe: 4,
  seed: 1,
  measure: { kernels: 2, checkpointEvery: 10 },
});
`;
interface SweepJson {
  readonly cells: readonly {
    readonly id: string;
    readonly run: string;
    readonly metrics: { readonly loss: number };
  }[];
}

describe('the cells of a sweep', () => {
  it('are apart where their names are the same but for letters that no folder takes, or very long', () => {
    const deep = `${'folder-with-a-name/'.repeat(8)}data`;
    const names = ['数据一.csv', '数据二.csv', 'a+b.csv', 'a-b.csv', `${deep}/one.csv`, `${deep}/two.csv`];
    for (const [i, name] of names.entries()) file(name, regression(20, i + 1));
    const given = file('model.ts', csvModel(names[0]));
    const args = ['sweep', given, '--vary', `data.path=${names.join(',')}`, '--out', at('out')];
    const { code, stdout } = cli([...args, '--backend', 'cpu', '--json']);
    expect(code).toBe(0);
    const { cells } = JSON.parse(stdout) as SweepJson;
    expect(new Set(cells.map((c) => c.id)).size).toBe(6);
    expect(new Set(cells.map((c) => c.metrics.loss)).size).toBe(6);
    for (const [i, { run }] of cells.entries())
      expect(readRunFile(run).info.definition['data']).toMatchObject({ path: names[i] });
  });

  it('are refused where one is given twice, or there are too many, before anything is built', () => {
    const given = file(
      'deep.ts',
      `import { defineExperiment, digits, mlp } from 'kernelscope';
export default defineExperiment({ model: mlp({ hidden: [4, 4] }), data: digits({ train: 8 }), steps: 2 });
`,
    );
    for (const [vary, why] of [
      ['seed=1..1000000000', 'the range has 1000000000 values; up to 10000'],
      ['seed=0..99999999999', 'the range has 100000000000 values'],
      ['seed=-99999999999999999999..99999999999999999999', 'values; up to 10000'],
      ['seed=1,2,1', 'gives seed the value 1 twice'],
    ]) {
      const { code, stderr } = cli(['sweep', model('small.ts'), '--vary', vary, '--out', at('out')]);
      expect(code, vary).toBe(2);
      expect(stderr, vary).toContain(why);
      expect(stderr, vary).not.toContain('    at ');
    }
    for (const [set, why] of [
      ['model.hidden.999999999=3', '"999999999" is no place of a list of 2'],
      ['model.hidden.length=99999999', '"length" is no place of a list of 2'],
      ['__proto__.x=1', '"__proto__" is no field'],
      [`${'a.'.repeat(40_000)}a=1`, 'more than 32 parts'],
    ]) {
      const { code, stderr } = cli(['run', given, '--set', set, '--out', at('out')]);
      expect(code, set.slice(0, 60)).toBe(2);
      expect(stderr, set.slice(0, 60)).toContain(why);
    }
    expect(existsSync(at('out'))).toBe(false);
  });
});

describe('the folder of a sweep', () => {
  const args = (given: string, ...more: string[]) => [
    ...['sweep', given, '--vary', 'model.width=4,8', '--out', at('out'), '--backend', 'cpu', '--json'],
    ...more,
  ];

  it('is that of one request, file and data, and says what differs', () => {
    file('data.csv', regression(20, 1));
    const given = file('model.ts', csvModel('data.csv'));
    expect(cli(args(given)).code).toBe(0);
    const before = readFileSync(at('out', 'sweep.json'), 'utf8');
    const runs = readdirSync(at('out')).sort();
    const refused = (why: string, ...more: string[]) => {
      const { code, stderr } = cli(args(given, ...more));
      expect(stderr).toContain(why);
      expect(code).toBe(2);
      expect(readFileSync(at('out', 'sweep.json'), 'utf8')).toBe(before);
      expect(readdirSync(at('out')).sort()).toEqual(runs);
    };
    refused('--set was [] and is ["steps=40"]', '--set', 'steps=40');
    refused('--seed was null and is "7"', '--seed', '7');
    // A remark changes nothing.
    writeFileSync(given, `// A remark.\n${csvModel('data.csv')}`);
    expect(cli(args(given)).code).toBe(0);
    writeFileSync(given, csvModel('data.csv').replace('steps: 30', 'steps: 31'));
    refused('was trained from something else: steps changed since');
    writeFileSync(given, csvModel('data.csv'));
    file('data.csv', regression(20, 2));
    refused('its data, or the code that builds its network changed since');
  });

  it('has one sweep at a time: the others get a sentence, and the numbers are those of one alone', async () => {
    const slow = ['--set', 'steps=400', '--set', 'measure.metricsEvery=1'];
    const ask = (out: string) => [
      ...['sweep', model('small.ts'), '--vary', 'seed=0..2', '--out', out, '--backend', 'wasm'],
      ...['--jobs', '2', ...slow],
    ];
    const ends = await Promise.all([1, 2, 3, 4].map(() => beside(ask(at('out')))));
    expect(ends.map((end) => end.code).sort()).toEqual([0, 2, 2, 2]);
    for (const { code, stderr } of ends)
      if (code === 2)
        expect(stderr).toMatch(/^Process \d+ runs the sweep in \/.* at the moment, and a sweep has one\./);
    expect(cli(ask(at('alone'))).code).toBe(0);
    expect(readSweepFile(at('out'))?.cells.map((c) => c.status)).toEqual(Array(3).fill('finished'));
    for (const cell of ['seed=0', 'seed=1', 'seed=2'])
      expect(readFileSync(at('out', cell, 'metrics.jsonl'), 'utf8')).toBe(
        readFileSync(at('alone', cell, 'metrics.jsonl'), 'utf8'),
      );
    expect(readdirSync(at('out')).filter((name) => /\.(lock|wanted|tmp)$/.test(name))).toEqual([]);
  });
});

describe('a run', () => {
  const ask = (...more: string[]) => [
    ...[
      'run',
      model('small.ts'),
      '--backend',
      'wasm',
      '--set',
      'steps=400',
      '--set',
      'measure.metricsEvery=1',
    ],
    ...['--set', 'measure.checkpointEvery=50', '--set', 'measure.kernels=5', ...more],
  ];
  const metrics = (run: string) => readFileSync(at(run, 'metrics.jsonl'), 'utf8');

  it('has one writer: four that begin or go on with it at once are one run', async () => {
    expect(cli(ask('--out', at('alone'))).code).toBe(0);
    const begun = await Promise.all([1, 2, 3, 4].map(() => beside(ask('--out', at('r')))));
    expect(begun.map((end) => end.code).sort()).toEqual([0, 2, 2, 2]);
    expect(metrics('r')).toBe(metrics('alone'));
    for (const file of ['metrics.jsonl', 'events.jsonl'])
      expect(readFileSync(at('r', file), 'utf8')).toBe(readFileSync(at('alone', file), 'utf8'));
    // As if it had been cut off near its end.
    const cut = JSON.parse(readFileSync(at('r', 'run.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(at('r', 'run.json'), JSON.stringify({ ...cut, status: 'running', ended: undefined }));
    copyFileSync(at('r', 'checkpoints', '00000100.npz'), at('r', 'kept.npz'));
    for (const name of readdirSync(at('r', 'checkpoints')))
      if (Number.parseInt(name, 10) > 100) writeFileSync(at('r', 'checkpoints', name), 'torn');
    const resumed = await Promise.all([1, 2, 3, 4].map(() => beside(['run', '--resume', at('r')])));
    expect(metrics('r')).toBe(metrics('alone'));
    for (const { code, stderr } of resumed) {
      expect([0, 2]).toContain(code);
      if (code === 2)
        expect(stderr).toMatch(/^Process \d+ writes the run in \/.*, and a run has one writer\./);
    }
    expect(resumed.filter((end) => end.code === 0).length).toBeGreaterThan(0);
    expect(readRunFile(at('r')).status).toBe('finished');
  });

  it('is interrupted when its process is gone, whoever has its number now', () => {
    expect(cli(ask('--out', at('r'))).code).toBe(0);
    const run = JSON.parse(readFileSync(at('r', 'run.json'), 'utf8')) as Record<string, unknown>;
    for (const pid of [1, 0, -1, process.pid, 2 ** 31]) {
      writeFileSync(
        at('r', 'run.json'),
        JSON.stringify({ ...run, status: 'running', ended: undefined, pid }),
      );
      expect(readRunFile(at('r')).status, String(pid)).toBe('interrupted');
      // The number of a living process in the name of a lock, of an earlier process or an earlier start of the machine.
      for (const name of [`owner.${process.pid}-1-@x.lock`, `owner.${pid}-12-00000000@host.lock`]) {
        writeFileSync(at('r', name.replace('@x', `@${hostName}`).replace('@host', `@${hostName}`)), '');
        expect(readRunFile(at('r')).status, name).toBe('interrupted');
      }
    }
    expect(cli(['run', '--resume', at('r')]).code).toBe(0);
    expect(readRunFile(at('r')).status).toBe('finished');
  });
});
