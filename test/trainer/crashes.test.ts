import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { type RunFile, readRun, readRunFile, readSnapshots } from '../../src/runs/index.js';
import { root, temporaryFolder } from '../helpers/folders.js';

// By name, at every operation (or so many of each kind): KERNELSCOPE_CRASHES=all npx vitest run --config test/vitest.config.ts --project trainer test/trainer/crashes.test.ts
const asked = process.env['KERNELSCOPE_CRASHES'] ?? '1';
const all = asked === 'all';
const preload = path.join(root, 'test', 'fixtures', 'dieAt.cjs');

const models: Readonly<Record<string, string>> = {
  momentum: `export default defineExperiment({
  model: twoLayer({ width: 24, scale: 'ntk' }),
  data: digits({ digits: [0, 1], train: 40, test: 20 }),
  optimizer: momentum({ learningRate: 'auto' }), steps: 30, probe: 8, seed: 2,
  measure: { kernels: 5, metricsEvery: 4, checkpointEvery: 3, landscape: true, twin: true },
});`,
  adam: `export default defineExperiment({
  model: mlp({ hidden: [12, 10], activation: 'relu' }),
  data: digits({ train: 80, test: 40 }), loss: 'crossEntropy',
  optimizer: adam({ learningRate: 0.01 }), batch: 16, steps: 30, probe: 8, seed: 5,
  measure: { kernels: 5, metricsEvery: 3, checkpointEvery: 7 },
});`,
  convolution: `export default defineExperiment({
  model: (tf) => tf.sequential({ layers: [
    tf.layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu', inputShape: [8, 8, 1] }),
    tf.layers.flatten(), tf.layers.dense({ units: 1 }) ] }),
  data: digits({ digits: [0, 1], train: 30, test: 10, shape: 'image' }), loss: 'mse',
  optimizer: sgd({ learningRate: 0.02 }), batch: 10, steps: 20, probe: 6, seed: 9,
  noise: { temperature: 1e-4 }, regularization: { all: 0.001 },
  measure: { kernels: 4, metricsEvery: 4, checkpointEvery: 5 },
});`,
};

let place: ReturnType<typeof temporaryFolder>;
beforeAll(() => {
  place = temporaryFolder();
  for (const [name, text] of Object.entries(models))
    writeFileSync(
      path.join(place.path, `${name}.ts`),
      `import { adam, defineExperiment, digits, mlp, momentum, sgd, twoLayer } from 'kernelscope';\n${text}\n`,
    );
});
afterAll(() => place.clean());

interface Outcome {
  readonly code: number | null;
  readonly stderr: string;
}

function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  during?: (pid: number) => void,
): Promise<Outcome> {
  const child = spawn(process.execPath, [path.join(root, 'dist', 'cli.js'), 'run', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, ...(env['DIE_BELOW'] ? { NODE_OPTIONS: `--require ${preload}` } : {}) },
  });
  if (child.pid !== undefined) during?.(child.pid);
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stderr })));
}

/** All that a run has recorded, without clocks, processes and places. */
function contents(folder: string): Record<string, string> {
  const out: Record<string, string> = {};
  const walk = (at: string) => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      const file = path.join(at, entry.name);
      const name = path.relative(folder, file);
      if (entry.isDirectory()) walk(file);
      else if (name === 'run.json') {
        const { ended, status } = JSON.parse(readFileSync(file, 'utf8')) as RunFile;
        out[name] = JSON.stringify({
          ...ended,
          status,
          summary: { ...ended?.summary, seconds: 0 },
        });
        // A checkpoint knows how long the file of clocks was.
      } else if (name.startsWith('checkpoints')) out[name] = '';
      else if (name !== 'timing.jsonl') out[name] = readFileSync(file, 'latin1');
    }
  };
  walk(folder);
  return out;
}

/** What a reader finds at any moment: whole rows in order, whole arrays. */
function requireReadable(folder: string, where: string): void {
  if (!existsSync(path.join(folder, 'run.json'))) return;
  const { metrics } = readRun(folder);
  expect(() => readSnapshots(folder), where).not.toThrow();
  const steps = Array.from(metrics.step);
  expect(steps, where).toEqual([...new Set(steps)].sort((a, b) => a - b));
}

describe.each(Object.keys(models))('a run (%s)', (name) => {
  const file = () => path.join(place.path, `${name}.ts`);
  const backend = ['--backend', name === 'convolution' ? 'cpu' : 'wasm'];
  const at = (label: string) => path.join(place.path, name, label);
  let wanted: Record<string, string>;
  let operations = 0;

  beforeAll(async () => {
    mkdirSync(at('.'), { recursive: true });
    const count = at('count');
    const env = { DIE_BELOW: at('whole'), DIE_COUNT: count };
    expect(await run([file(), ...backend, '--out', at('whole')], env)).toMatchObject({ code: 0 });
    operations = Number(readFileSync(count, 'utf8'));
    wanted = contents(at('whole'));
    expect(wanted['run.json']).toContain('"status":"finished"');
  });

  /** Goes on until the run is over, and holds what is then there against the run in one piece. */
  async function finish(folder: string, where: string): Promise<void> {
    requireReadable(folder, where);
    const begun = existsSync(path.join(folder, 'run.json'));
    const args = begun ? ['--resume', folder] : [file(), ...backend, '--out', folder];
    expect(await run(args), where).toMatchObject({ code: 0 });
    expect(contents(folder), where).toEqual(wanted);
  }

  it('is the same when its process dies at an operation on a file, and again while it goes on', async () => {
    const chance = new Random(7).fork(name);
    const moments = ['before', 'mid', 'after'] as const;
    const places = all
      ? moments.flatMap((moment) => Array.from({ length: operations }, (_, i) => [moment, i + 1] as const))
      : moments.flatMap((moment) =>
          Array.from({ length: Number(asked) }, () => [moment, 1 + chance.integer(operations)] as const),
        );
    for (const [moment, die] of places) {
      const where = `${moment} operation ${die} of ${operations}`;
      const folder = at(`${moment}-${die}`);
      const env = { DIE_BELOW: folder, DIE_AT: String(die), DIE_MOMENT: moment };
      expect(await run([file(), ...backend, '--out', folder], env), where).toMatchObject({ code: 1 });
      if (existsSync(path.join(folder, 'run.json'))) {
        expect(readRunFile(folder).status, where).toBe(die === operations ? 'finished' : 'interrupted');
        const again = { ...env, DIE_AT: String(1 + chance.integer(Math.max(1, operations >> 1))) };
        await run(['--resume', folder], again);
      }
      await finish(folder, where);
    }
    process.stdout.write(`${name}: ${places.length} crashes at ${operations} operations, all the same\n`);
  }, 7_200_000);

  it.runIf(process.platform === 'linux')(
    'is the same when it is interrupted, killed, or stopped at any time',
    async () => {
      const chance = new Random(11).fork(name);
      const count = all ? 100 : 2 * Number(asked);
      for (let i = 0; i < count; i++) {
        const signal = i % 2 === 0 ? 'SIGINT' : 'SIGKILL';
        const folder = at(`${signal}-${i}`);
        const wait = 600 + 1500 * chance.uniform();
        let trainer: string[] = [];
        await run([file(), ...backend, '--out', folder], {}, (pid) => {
          setTimeout(() => {
            if (!existsSync(`/proc/${pid}`)) return;
            trainer = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
            process.kill(pid, signal);
          }, wait).unref();
        });
        // The trainer of a killed command line ends its run by itself.
        await expect.poll(() => trainer.some((pid) => pid && existsSync(`/proc/${pid}`))).toBe(false);
        await finish(folder, `${signal} after ${wait.toFixed(0)} ms`);
      }
    },
    7_200_000,
  );

  it('is left alone once it has finished', async () => {
    const folder = at('whole');
    const before = readFileSync(path.join(folder, 'run.json'), 'utf8');
    const { code } = await run(['--resume', folder]);
    expect(code).toBe(0);
    expect(readFileSync(path.join(folder, 'run.json'), 'utf8')).toBe(before);
    expect(contents(folder)).toEqual(wanted);
  });
});
