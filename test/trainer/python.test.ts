import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRun, readSnapshots } from '../../src/runs/index.js';
import { temporaryFolder } from '../helpers/folders.js';
import { findPython } from '../helpers/python.js';
import { Trainers } from '../helpers/trainer.js';

const python = findPython(['numpy', 'pandas']);

/** Reads a run folder the way its documentation says, and prints what it found. */
const program = `
import glob, json, sys
import numpy as np
import pandas as pd
folder = sys.argv[1]
rows = pd.read_json(folder + '/metrics.jsonl', lines=True)
kernels = [np.load(f) for f in sorted(glob.glob(folder + '/kernels/*.npy'))]
spectra = [np.load(f) for f in sorted(glob.glob(folder + '/spectra/*.npy'))]
checkpoint = np.load(sorted(glob.glob(folder + '/checkpoints/*.npz'))[-1])
print(json.dumps({
  'columns': list(rows.columns),
  'steps': rows['step'].tolist(),
  'loss': rows['loss'].tolist(),
  'drifts': int(rows['drift'].notna().sum()),
  'kernels': [list(k.shape) for k in kernels],
  'asymmetry': float(max(np.abs(k - k.T).max() for k in kernels)),
  'top': [float(np.linalg.eigvalsh(k.astype(np.float64))[-1]) for k in kernels],
  'spectra': [float(s[0]) for s in spectra],
  'weights': [list(checkpoint[str(i)].shape) for i in range(2)],
  'status': json.load(open(folder + '/run.json'))['status'],
}))
`;

describe.skipIf('missing' in python)(
  `a run folder in pandas and numpy${'missing' in python ? ` (${python.missing})` : ''}`,
  () => {
    const place = temporaryFolder();
    const trainers = new Trainers(place.path);
    let folder = '';
    beforeAll(async () => {
      folder = (await trainers.finish(await trainers.start(), trainers.request('small.ts'))).folder;
    });
    afterAll(() => {
      trainers.end();
      place.clean();
    });

    it('reads as it is, to the numbers that Kernelscope reads', () => {
      if ('missing' in python) return;
      const run = spawnSync(python.path, ['-c', program, folder], { encoding: 'utf8' });
      expect(run.stderr).toBe('');
      const found = JSON.parse(run.stdout) as {
        columns: string[];
        steps: number[];
        loss: number[];
        drifts: number;
        kernels: number[][];
        asymmetry: number;
        top: number[];
        spectra: number[];
        weights: number[][];
        status: string;
      };
      const { metrics } = readRun(folder);
      expect(found.status).toBe('finished');
      expect(found.columns).toEqual(expect.arrayContaining(['step', 'time', 'loss', 'testLoss', 'drift']));
      expect(found.steps).toEqual(Array.from(metrics.step));
      // pandas reads decimal text to the last bit or the one beside it.
      for (const [i, loss] of found.loss.entries())
        expect(Math.abs(loss / metrics.columns['loss'][i] - 1)).toBeLessThan(1e-12);
      const kernels = readSnapshots(folder, ['kernel']);
      expect(found.drifts).toBe(kernels.length);
      expect(found.kernels).toEqual(kernels.map((k) => [...k.shape]));
      expect(found.asymmetry).toBe(0);
      for (const [i, top] of found.top.entries())
        expect(Math.abs(found.spectra[i] / top - 1)).toBeLessThan(1e-5);
      expect(found.weights).toEqual([
        [6, 64],
        [64, 1],
      ]);
    });
  },
);
