import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeNpy } from '../../src/core/npy.js';
import { findNative } from '../../src/network/backends/native.js';
import { explicitJacobian } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { readRun, readRunFile, readSnapshots, sendWord } from '../../src/runs/index.js';
import { cli } from '../helpers/cli.js';
import { root, temporaryFolder } from '../helpers/folders.js';
import { plain, programs, runsIn, startWatched, watched } from '../helpers/watch.js';
import '@tensorflow/tfjs-backend-cpu';

const { path: folder, clean } = temporaryFolder();
afterAll(clean);
let count = 0;
const fresh = (): string => path.join(folder, `out${count++}`);
const node = process.execPath;
const native = findNative();

/** Programs, how many trainings are seen in each, and whether there is a kernel of each. */
const cases: readonly [name: string, command: readonly string[], runs: number, kernel: boolean][] = [
  ['fit', [node, 'fit.cjs'], 1, true],
  ['fitDataset', [node, 'fitDataset.cjs'], 1, true],
  ['trainOnBatch, one sample at a time', [node, 'trainOnBatch.cjs'], 1, true],
  ['minimize', [node, 'minimize.cjs'], 1, true],
  ['gradients gathered and applied', [node, 'gradients.cjs'], 1, true],
  ['variables under an optimizer', [node, 'variables.cjs'], 1, false],
  ['variables updated by hand', [node, 'byHand.cjs'], 1, false],
  ['two models that train each other', [node, 'gan.cjs'], 2, true],
  ['a nested model with two inputs', [node, 'nested.cjs'], 1, true],
  ['two models on one trunk', [node, 'shared.cjs'], 2, true],
  // Its batch size is fixed, and the generic way takes one sample at a time.
  ['a recurrent layer that keeps its state', [node, 'stateful.cjs'], 1, false],
  // A network that draws numbers where it is used is no function, and has no kernel.
  ['layers that draw, count and print', [node, 'randomLayers.cjs'], 1, false],
  ['two copies of TensorFlow.js', [node, 'twoCopies.cjs'], 2, true],
  ['several models at the same time', [node, 'several.cjs'], 3, true],
  ['ES modules', [node, 'modules.mjs'], 1, true],
  ['TypeScript', [path.join(root, 'node_modules', '.bin', 'tsx'), 'typed.ts'], 1, true],
  ['TypeScript by an import', [node, '--import', 'tsx', 'typed.ts'], 1, true],
  ['a worker thread', [node, 'worker.cjs'], 1, true],
  ['an npm script', ['npm', 'run', '--silent', 'train'], 1, true],
  ['a program that fails', [node, 'uncaught.cjs'], 1, true],
  ['a program that fails at its top level', [node, 'synchronous.cjs'], 1, true],
  ['a program that exits in the middle', [node, 'exits.cjs'], 1, true],
  ['the wasm backend', [node, 'wasm.cjs'], 1, true],
  ...(native ? [['the native backend', [node, 'native.cjs', native], 1, true] as const] : []),
  ['a program that trains nothing', [node, 'idle.cjs', '--verbose', 'a b'], 0, false],
] as never;

describe('watch leaves a program as it is', () => {
  it.each(cases)('%s', (_name, command, runs, kernel) => {
    const before = plain(...command);
    const out = fresh();
    const { last, ...after } = watched(out, ...command);
    expect({ ...after, last: '' }).toEqual(before);
    if (runs === 0) {
      expect(last).toBe('kernelscope: no training with TensorFlow.js was seen.');
      return;
    }
    const found = runsIn(out);
    expect(found).toHaveLength(runs);
    for (const place of found) {
      expect(last).toContain(place);
      const { run, metrics, events } = readRun(place);
      expect(run.kind).toBe('watched');
      expect(run.status).toBe(before.code === 0 ? 'finished' : 'failed');
      expect(run.info.source.file.startsWith(programs)).toBe(true);
      expect(metrics.step[0]).toBe(0);
      expect(new Set(metrics.step).size).toBe(metrics.step.length);
      const losses = metrics.columns['loss'].filter(Number.isFinite);
      expect(losses.length).toBeGreaterThan(1);
      // Every row of a program by hand has no gradients; all others have.
      expect('gradientNorm' in metrics.columns).toBe(!command.includes('byHand.cjs'));
      const spectra = readSnapshots(place, ['eigenvalues']);
      // How many there are follows the clock; the first is always taken.
      expect(spectra.length > 0, JSON.stringify(events)).toBe(kernel);
      expect('drift' in metrics.columns).toBe(kernel);
      for (const absent of ['seed', 'steps', 'test', 'train']) expect(run.info).not.toHaveProperty(absent);
    }
  });

  it.each([
    ['ES5 files', ['main']],
    ['ES2017 files', ['module', 'main']],
  ])('a bundle of the %s', async (name, mainFields) => {
    for (const format of ['cjs', 'esm'] as const) {
      const file = path.join(folder, `bundle-${mainFields.length}.${format === 'cjs' ? 'cjs' : 'mjs'}`);
      await build({
        entryPoints: [path.join(programs, 'bundled.src.cjs')],
        outfile: file,
        bundle: true,
        minify: true,
        platform: 'node',
        format,
        mainFields,
        logLevel: 'error',
        banner:
          format === 'esm'
            ? {
                js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
              }
            : {},
      });
      const before = plain(node, file);
      expect(before.code, before.stderr).toBe(0);
      const out = fresh();
      const { last, ...after } = watched(out, node, file);
      expect({ ...after, last: '' }).toEqual(before);
      expect(last, name).toContain(out);
      expect(readSnapshots(out, ['kernel']).length).toBeGreaterThan(0);
    }
  });
});

describe('what watch measures', () => {
  it.each(['fit', 'loop', 'single', 'frozen'])('is the kernel of the explicit Jacobian: %s', async (way) => {
    const out = fresh();
    const start = path.join(folder, `start-${way}.json`);
    expect(watched(out, node, 'kernel.cjs', start, way).code).toBe(0);
    const { x, weights } = JSON.parse(readFileSync(start, 'utf8')) as {
      x: number[][];
      weights: number[][][];
    };
    await tf.setBackend('cpu');
    const model = tf.sequential({
      layers: [
        tf.layers.dense({ units: 10, activation: 'tanh', inputShape: [4] }),
        tf.layers.dense({ units: 3 }),
      ],
    });
    model.layers[0].trainable = way !== 'frozen';
    model.setWeights(weights.map((values) => tf.tensor(values)));
    const { shape, data } = decodeNpy(readFileSync(path.join(out, 'kernels', '00000000.npy')), 'kernel');
    const n = shape[0];
    expect(n).toBe(way === 'single' ? 16 : 24);
    const J = explicitJacobian(model, tf.tensor2d(x.slice(0, n)), [0, 1, 2]);
    const full = tf.tidy(() => tf.matMul(J, J, false, true).arraySync()) as number[][];
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        const wanted = [0, 1, 2].reduce((sum, o) => sum + full[3 * i + o][3 * j + o] / 3, 0);
        expect(Math.abs(Number(data[i * n + j]) - wanted)).toBeLessThan(2e-5 * (1 + Math.abs(wanted)));
      }
    const { metrics } = readRun(out);
    expect(metrics.columns['lambdaMax'][0]).toBeGreaterThan(0);
    expect(metrics.columns['drift'].filter(Number.isFinite).at(-1) ?? 0).toBeGreaterThan(
      way === 'frozen' ? -1 : 1e-4,
    );
  });

  it('takes the loss, the metrics and the validation that fit reports', () => {
    const out = fresh();
    const { stdout } = watched(out, node, 'fit.cjs');
    const history = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Record<string, number[]>;
    const { run, metrics } = readRun(out);
    const { loss, trainAccuracy, testLoss, accuracy } = metrics.columns;
    const batches = [...metrics.step].map((_, i) => loss[i]).filter(Number.isFinite);
    expect(batches).toHaveLength(24);
    // Batches of 32, 32 and 8 of 72 samples, weighted by their size.
    const epoch = (32 * loss[1] + 32 * loss[2] + 8 * loss[3]) / 72;
    expect(epoch).toBeCloseTo(history['loss'][0], 6);
    const shares = (32 * trainAccuracy[1] + 32 * trainAccuracy[2] + 8 * trainAccuracy[3]) / 72;
    expect(shares).toBeCloseTo(history['acc'][0], 6);
    expect(testLoss.filter(Number.isFinite)).toEqual(Float64Array.from(history['val_loss']));
    expect(accuracy.filter(Number.isFinite)).toEqual(Float64Array.from(history['val_acc']));
    expect(run.ended?.summary?.loss.test).toBe(history['val_loss'].at(-1));
  });

  it('measures on the inputs that are given', () => {
    const probe = path.join(root, 'test', 'fixtures', 'npy', 'probe4.npy');
    const out = fresh();
    const result = cli(['watch', '--probe', probe, '--out', out, '--', node, 'fit.cjs'], programs);
    expect(result.code).toBe(0);
    const { shape, data } = decodeNpy(readFileSync(probe), probe);
    expect(readRun(out).run.info.probe.size).toBe(shape[0]);
    const [picture] = readSnapshots(out, ['probeInputs']);
    expect(Array.from(picture.data)).toEqual(Array.from(data as Float32Array));
  });

  it('watches the model of a name alone', () => {
    const out = fresh();
    const result = cli(['watch', '--model', 'critic', '--out', out, '--', node, 'shared.cjs'], programs);
    expect(result.code).toBe(0);
    expect(readRun(out).run.info.name).toBe('shared.cjs · critic');
  });
});

describe('watch as a command', () => {
  it.each([
    [['watch'], "missing required argument 'command'"],
    [['watch', '--', 'no-such-program'], 'There is no program "no-such-program" to watch'],
    [['watch', '--probe', 'nothing.npy', '--', 'node', 'idle.cjs'], 'nothing.npy'],
  ])('says what is wrong: %j', (args, message) => {
    const { code, stderr } = cli(args, programs);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it('overwrites nothing', () => {
    const { code, stderr } = cli(['watch', '--out', programs, '--', node, 'idle.cjs'], programs);
    expect(stderr).toContain('is not empty');
    expect(code).toBe(2);
  });

  it('says what it does where it is asked to', () => {
    const { stderr } = cli(['watch', '--verbose', '--out', fresh(), '--', node, 'fit.cjs'], programs);
    expect(stderr).toMatch(/kernelscope: watching sequential_1/);
  });

  it.each([
    ['SIGINT', [], null, 'SIGINT', 'interrupted'],
    ['SIGTERM', [], null, 'SIGTERM', 'interrupted'],
    ['SIGINT', ['--polite'], 130, null, 'interrupted'],
  ] as const)('passes %s on, %j', async (signal, args, code, died, status) => {
    const out = fresh();
    const child = startWatched(out, node, 'interrupted.cjs', ...args);
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (text.includes('training')) child.kill(signal);
    });
    const ended = await new Promise((resolve) => child.on('close', (...end) => resolve(end)));
    expect(ended).toEqual([code, died]);
    expect(stdout).toBe(args.length > 0 ? 'training\ninterrupted\n' : 'training\n');
    expect(readRun(runsIn(out)[0]).run.status).toBe(status);
  });

  it('costs a program that trains nothing no more than reading one small file', () => {
    const preload = path.join(root, 'dist', 'watch', 'preload.js');
    expect(readFileSync(preload).length).toBeLessThan(12_000);
    const script = 'process.stdout.write(Object.keys(require.cache).join())';
    const { stdout } = spawnSync(node, ['--require', preload, '-e', script], { encoding: 'utf8' });
    expect(stdout).toBe(preload);
    expect(existsSync(path.join(root, 'dist', 'watch', 'observer.js'))).toBe(true);
  });
});

describe('a watched run is a run', () => {
  it('is reported, compared and exported', () => {
    const runs = [fresh(), fresh()];
    for (const out of runs) expect(watched(out, node, 'fit.cjs').code).toBe(0);
    const page = path.join(folder, 'watched.html');
    expect(cli(['report', runs[0], '--out', page]).code).toBe(0);
    expect(readFileSync(page, 'utf8')).toContain('fit.cjs · sequential_1');
    const { code, stdout } = cli(['compare', ...runs, '--json']);
    expect(code).toBe(0);
    const compared = JSON.parse(stdout) as { identical: boolean; differences: object };
    expect(compared.identical).toBe(true);
    expect(compared.differences).toEqual({});
    for (const format of ['csv', 'json', 'npz', 'tensorboard']) {
      const target = path.join(folder, `watched.${format}`);
      expect(cli(['export', runs[0], '--format', format, '--out', target]).code, format).toBe(0);
    }
    const [header] = readFileSync(path.join(folder, 'watched.csv'), 'utf8').split('\n');
    expect(header.split(',')).toContain('gradientNorm');
    expect(header.split(',')).not.toContain('seed');
  });
});

describe('steering a watched program', () => {
  const until = async <T>(what: () => T | null | undefined | false): Promise<T> => {
    for (;;) {
      const value = what();
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const rows = (place: string): number => readRun(place).metrics.step.at(-1) ?? 0;

  it('pauses, steps, measures, resumes and stops it', async () => {
    const out = fresh();
    const child = startWatched(out, node, 'interrupted.cjs');
    const ended = new Promise((resolve) => child.on('close', (...end) => resolve(end)));
    const place = await until(
      () => existsSync(out) && runsIn(out).find((run) => existsSync(path.join(run, 'control.json'))),
    );
    await until(() => rows(place) > 2);
    await sendWord(place, 'pause');
    await until(() => readRunFile(place).status === 'paused');
    const held = rows(place);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(rows(place)).toBe(held);
    // The row of the last step waits for the next one, which is held.
    await sendWord(place, 'step', 3);
    await until(() => rows(place) === held + 3);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(rows(place)).toBe(held + 3);
    await sendWord(place, 'measure');
    await sendWord(place, 'step', 1);
    const measured = String(held + 4).padStart(8, '0');
    await until(() => existsSync(path.join(place, 'kernels', `${measured}.npy`)));
    await sendWord(place, 'resume');
    await until(() => readRunFile(place).status === 'running');
    await sendWord(place, 'stop');
    expect(await ended).toEqual([0, null]);
    const { status } = readRun(runsIn(out)[0]).run;
    expect(status).toBe('stopped');
    await expect(sendWord(runsIn(out)[0], 'pause')).rejects.toThrow('cannot be reached any more');
  });

  it('heeds nobody without the token', async () => {
    const out = fresh();
    const child = startWatched(out, node, 'interrupted.cjs');
    const ended = new Promise((resolve) => child.on('close', (...end) => resolve(end)));
    const place = await until(
      () => existsSync(out) && runsIn(out).find((run) => existsSync(path.join(run, 'control.json'))),
    );
    const file = path.join(place, 'control.json');
    const control = JSON.parse(readFileSync(file, 'utf8')) as { token: string };
    writeFileSync(file, JSON.stringify({ ...control, token: 'another' }));
    await expect(sendWord(place, 'stop')).rejects.toThrow();
    expect(statSync(file).mode & 0o77).toBe(0);
    child.kill('SIGTERM');
    await ended;
  });
});
