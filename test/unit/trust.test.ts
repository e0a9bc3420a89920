import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Processes, UntrustedError } from '../../src/extension/processes.js';
import { SpareTrainer } from '../../src/extension/runs/spareTrainer.js';
import { findNative, nativeCandidates } from '../../src/network/backends/native.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
let canary: string;
let script: string;
beforeEach(() => {
  place = temporaryFolder();
  canary = path.join(place.path, 'fired');
  script = path.join(place.path, 'canary.js');
  writeFileSync(script, `require('node:fs').writeFileSync(${JSON.stringify(canary)}, ''); process.exit(1);`);
});
afterEach(() => place.clean());

const resting = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('an untrusted workspace', () => {
  let trusted = false;
  const processes = new Processes(() => trusted);
  beforeEach(() => {
    trusted = false;
  });

  it('starts no trainer, whoever asks, until it is trusted', async () => {
    const trainer = () => processes.trainer({ trainerPath: script });
    expect(processes.allowed).toBe(false);
    await expect(trainer().start()).rejects.toThrow(UntrustedError);
    const spare = new SpareTrainer({ create: trainer, idle: 1000 });
    spare.prepare({ backend: 'cpu' });
    expect(await spare.take({ backend: 'cpu' })).toBeNull();
    spare.dispose();
    await resting(300);
    expect(existsSync(canary)).toBe(false);
    // One that was made before is refused as well: it is the start that counts.
    const early = trainer();
    trusted = true;
    await expect(early.start()).rejects.toThrow('ended before it was ready');
    expect(existsSync(canary)).toBe(true);
  });

  it('starts no tool, and says the way out', async () => {
    const start = () => processes.spawn(process.execPath, [script], { stdio: 'ignore' });
    expect(start).toThrow(/^This workspace is not trusted, .* Trust the workspace first/);
    await resting(300);
    expect(existsSync(canary)).toBe(false);
    trusted = true;
    await new Promise((resolve) => start().on('close', resolve));
    expect(existsSync(canary)).toBe(true);
  });
});

describe('the native package', () => {
  it('is looked for in the project of a model file, never in the current folder', () => {
    const cwd = path.join(process.cwd(), 'node_modules', '@tensorflow', 'tfjs-node');
    const project = path.join(place.path, 'a', 'b');
    expect(nativeCandidates()).not.toContain(cwd);
    expect(nativeCandidates(undefined, project)).toContain(
      path.join(place.path, 'node_modules', '@tensorflow', 'tfjs-node'),
    );
    expect(nativeCandidates().some((folder) => folder.startsWith(place.path))).toBe(false);
    expect(findNative(undefined, project) ?? '').not.toContain(place.path);
  });
});
