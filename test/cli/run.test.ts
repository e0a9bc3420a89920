import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/core/npy.js';
import { cli } from '../helpers/cli.js';
import { model, root, temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
});
afterAll(() => place.clean());
const at = (name: string) => path.join(place.path, name);

interface RunJson {
  readonly run: string;
  readonly status: string;
  readonly steps: number;
  readonly loss: { readonly train: number; readonly test: number };
  readonly accuracy: number | null;
  readonly kernel: { readonly eigenvalues: number[]; readonly drift: number };
  readonly movement: Readonly<Record<string, number>>;
  readonly regime: string;
  readonly backend: string;
}

const run = (...args: string[]) => cli(['run', ...args, '--backend', 'wasm'], place.path);

describe('kernelscope run', () => {
  it('prints one JSON document that its run folder bears out', () => {
    const { code, stdout } = run(model('small.ts'), '--json', '--out', at('a'), '--report', at('a.html'));
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as RunJson;
    expect(result).toMatchObject({
      run: at('a'),
      status: 'finished',
      steps: 60,
      accuracy: null,
      backend: 'wasm',
    });
    expect(result.kernel.eigenvalues).toHaveLength(24);
    expect(result.kernel.eigenvalues[0]).toBeGreaterThan(result.kernel.eigenvalues[23]);
    expect(Object.keys(result.movement)).toEqual(['features', 'readout']);
    const rows = readFileSync(at('a/metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(rows.at(-1)?.['loss']).toBe(result.loss.train);
    expect(rows.at(-1)?.['step']).toBe(60);
    expect(rows[0]).toHaveProperty('movement.features');
    const spectra = readdirSync(at('a/spectra')).sort();
    const last = decodeNpy(readFileSync(at(`a/spectra/${spectra.at(-1)}`)));
    expect([...last.data]).toEqual(result.kernel.eigenvalues);
    expect(JSON.parse(readFileSync(at('a/run.json'), 'utf8'))).toMatchObject({
      schemaVersion: 1,
      status: 'finished',
      info: { seed: 3, backend: { name: 'wasm' } },
      source: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
    const report = readFileSync(at('a.html'), 'utf8');
    expect(report).toContain('id="runs"');
    expect(report).not.toMatch(/(src|href)="https?:/);
  });

  it('overrides fields, and refuses what the schema refuses', () => {
    const { stdout } = run(
      model('small.ts'),
      '--json',
      '--set',
      'model.width=128',
      '--set',
      'steps=5',
      '--seed',
      '9',
    );
    const folder = (JSON.parse(stdout) as RunJson).run;
    expect(JSON.parse(readFileSync(path.join(folder, 'run.json'), 'utf8'))).toMatchObject({
      info: { steps: 5, seed: 9, definition: { model: { width: 128 } } },
      request: { overrides: { 'model.width': 128, steps: 5, seed: 9 } },
    });
    expect(folder.startsWith(path.join(place.path, '.kernelscope', 'runs'))).toBe(true);
    for (const bad of ['model.width=0', 'model.widht=3', 'optimizer.learningRate=fast', 'nonsense']) {
      const refused = run(model('small.ts'), '--set', bad);
      expect(refused.code, bad).toBe(2);
      expect(refused.stderr, bad).toContain(bad.split('=')[0]);
    }
    expect(run(model('small.ts'), '--set', 'model.widht=3').stderr).toMatch(/width/);
  });

  it('ends with 3 when it diverges, with everything kept', () => {
    const { code, stdout, stderr } = run(
      model('small.ts'),
      '--export',
      'diverging',
      '--json',
      '--out',
      at('d'),
    );
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'diverged' });
    expect(stderr).toMatch(/step \d+.*500/s);
    expect(existsSync(at('d/metrics.jsonl'))).toBe(true);
  });

  it('ends with 2 for wrong usage', () => {
    expect(run().code).toBe(2);
    expect(run(model('small.ts'), '--nonsense').code).toBe(2);
    expect(run(model('syntax.ts')).stderr).toMatch(/syntax\.ts:4/);
    expect(run(model('small.ts'), '--export', 'nothing').stderr).toMatch(/default, long, diverging/);
    expect(run(model('tanh2.ts')).stderr).toMatch(/--data/);
    expect(run(model('small.ts'), '--out', at('a')).stderr).toMatch(/already holds a run/);
  });

  it('stops at an interrupt with 130 and keeps what it has', async () => {
    const child = spawn(
      process.execPath,
      [
        path.join(root, 'dist', 'cli.js'),
        'run',
        model('small.ts'),
        '--export',
        'long',
        '--out',
        at('i'),
        '--backend',
        'wasm',
      ],
      { cwd: place.path, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    await new Promise<void>((resolve) => {
      let text = '';
      child.stdout.on('data', (chunk) => {
        text += chunk;
        if (/\n +\d\d+ /.test(text)) resolve();
      });
    });
    child.kill('SIGINT');
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    expect(JSON.parse(readFileSync(at('i/run.json'), 'utf8')).status).toBe('stopped');
  }, 60_000);

  it('sweeps, and does nothing twice', () => {
    const args = [
      'sweep',
      model('small.ts'),
      '--vary',
      'model.width=16,64,256',
      '--vary',
      'seed=0..1',
      '--set',
      'steps=20',
      '--out',
      at('s'),
      '--backend',
      'wasm',
      '--json',
    ];
    const first = cli(args, place.path);
    expect(first.code).toBe(0);
    const result = JSON.parse(first.stdout) as {
      cells: { run: string; status: string }[];
      fits: { metric: string; variable: string }[];
    };
    expect(result.cells).toHaveLength(6);
    expect(result.cells.every((c) => c.status === 'finished')).toBe(true);
    expect(result.fits).toContainEqual(expect.objectContaining({ metric: 'drift', variable: 'model.width' }));
    const time = () => readFileSync(path.join(result.cells[0].run, 'run.json'), 'utf8');
    const before = time();
    expect(cli(args, place.path).code).toBe(0);
    expect(time()).toBe(before);
    expect(cli([...args, '--shard', '3/2'], place.path).code).toBe(2);
    expect(readFileSync(at('s/index.html'), 'utf8')).toMatch(/Fitted exponents/);
  }, 120_000);

  it('compares and exports what it recorded', () => {
    run(model('small.ts'), '--json', '--out', at('b'));
    const same = JSON.parse(cli(['compare', at('a'), at('b'), '--json']).stdout) as { identical: boolean };
    expect(same.identical).toBe(true);
    for (const format of ['csv', 'json', 'npz', 'tensorboard'])
      expect(cli(['export', at('a'), '--format', format, '--out', at(`out.${format}`)]).code, format).toBe(0);
    const lines = readFileSync(at('out.csv'), 'utf8').trim().split('\n');
    expect(lines[0].startsWith('step,time,loss')).toBe(true);
    expect(lines.length).toBe(readFileSync(at('a/metrics.jsonl'), 'utf8').trim().split('\n').length + 1);
    expect(cli(['export', at('a'), '--format', 'xls']).code).toBe(2);
    expect(cli(['report', at('nowhere'), '--out', at('x.html')]).stderr).toMatch(/not a run folder/);
  });

  it('predicts before training what training then does', () => {
    const { code, stdout } = cli([
      'predict',
      model('small.ts'),
      '--set',
      'model.width=1024',
      '--backend',
      'wasm',
      '--json',
    ]);
    expect(code).toBe(0);
    const predicted = JSON.parse(stdout) as {
      parameters: number;
      eigenvalues: number[];
      condition: number;
      maxStep: number;
      stepsTo: { tenth: number };
      regime: string;
    };
    expect(predicted.parameters).toBe(1024 * 7);
    expect(predicted.eigenvalues).toHaveLength(24);
    expect(predicted.condition).toBeGreaterThan(1);
    run(
      model('small.ts'),
      '--set',
      'model.width=1024',
      '--set',
      'stop={"lossFraction":0.1}',
      '--set',
      'steps=5000',
      '--json',
      '--out',
      at('p'),
    );
    const { ended } = JSON.parse(readFileSync(at('p/run.json'), 'utf8')) as { ended: { step: number } };
    expect(Math.abs(ended.step - predicted.stepsTo.tenth)).toBeLessThanOrEqual(
      Math.max(2, 0.15 * ended.step),
    );
  });
});
