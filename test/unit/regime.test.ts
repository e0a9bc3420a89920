import { beforeAll, describe, expect, it } from 'vitest';
import { casesOf, judge, regimeTasks, runCase, truthOf } from '../../src/bench/regime.js';
import { scoreOf } from '../../src/bench/regimeReport.js';
import {
  driftBars,
  gapBars,
  regimeBy,
  regimeOfGap,
  regimeScore,
} from '../../src/core/measures/regimeBars.js';
import { loadData } from '../../src/network/data/index.js';
import { buildModel } from '../../src/network/models/build.js';
import { expectedGap, KernelProbe, regimeVerdict } from '../../src/network/training/index.js';
import { twoLayerNet } from '../../src/theory/laboratory.js';
import { startBackend } from '../helpers/backend.js';

describe('the verdict', () => {
  it('says nothing before a second kernel', () => {
    expect(regimeVerdict({}).regime).toBe('undetermined');
  });

  it('follows the drift so far where no gap is known', () => {
    const verdict = (drift: number) => regimeVerdict({ drift });
    expect([0.01, 0.3, 1.5].map((drift) => verdict(drift).regime)).toEqual(['lazy', 'in between', 'rich']);
    expect(verdict(0.3).evidence).toEqual([{ name: 'drift', value: 0.3, ...driftBars }]);
    expect(verdict(0.3).reasons[0]).toContain('up to 9 % is lazy, from 90 % on rich');
    // A gap, of whatever kind, is better than the drift.
    expect(regimeVerdict({ drift: 5, twinGap: 0.01 }).regime).toBe('lazy');
    expect(regimeVerdict({ drift: 5, gap: 0.01, over: true }).regime).toBe('lazy');
  });

  it('heeds the twin where there is one, and never alignment', () => {
    expect(expectedGap({ drift: 0.01, twinGap: 0.3 })).toBe(0.3);
    expect(expectedGap({ gap: 0.1, expected: 0.2, twinGap: 0.3 })).toBe(0.3);
    expect(expectedGap({ drift: 0.01 })).toBeUndefined();
    const { evidence } = regimeVerdict({ drift: 0.1, gap: 0.01, twinGap: 0.01, movement: 0.2, over: true });
    expect(evidence?.map((e) => e.name)).toEqual(['gap', 'twinGap', 'movement']);
  });

  it('rests on the gap where one is known', () => {
    const verdict = (gap: number, expected: number, over = false) =>
      regimeVerdict({ drift: 5, gap, expected, over });
    expect([0.01, 0.1, 0.4].map((expected) => verdict(0.005, expected).regime)).toEqual([
      'lazy',
      'in between',
      'rich',
    ]);
    expect(verdict(0.3, 0.01).regime).toBe('rich');
    // What was expected no longer counts when the run is over.
    expect(verdict(0.03, 0.4, true).regime).toBe('lazy');
    expect(verdict(0.03, 0.4).evidence).toEqual([
      { name: 'gap', value: 0.03, ...gapBars },
      { name: 'expectedGap', value: 0.4, ...gapBars },
    ]);
    expect(verdict(0.03, 0.4).reasons[0]).toContain(
      'by at most 40 % over the whole run; up to 5 % is lazy, from 20 % on rich',
    );
    expect(verdict(0.03, 0.4, true).reasons[0]).toContain('have parted by at most 3 %');
  });

  it('keeps one set of bars, and a score that turns where they are', () => {
    for (const bars of [gapBars, driftBars]) {
      expect(regimeBy(bars.lazy, bars)).toBe('lazy');
      expect(regimeBy(1.0001 * bars.lazy, bars)).toBe('in between');
      expect(regimeBy(bars.rich, bars)).toBe('rich');
      expect(regimeScore(bars.lazy, bars)).toBeCloseTo(0, 12);
      expect(regimeScore(bars.rich, bars)).toBeCloseTo(1, 12);
      expect(regimeScore(0, bars)).toBe(-0.5);
      expect(regimeScore(1e9, bars)).toBe(1.5);
    }
    // The bars of the drift are those of the gap, by the law that is stated beside them.
    expect(0.21 * driftBars.lazy ** 0.6).toBeCloseTo(gapBars.lazy, 2);
    expect(0.21 * driftBars.rich ** 0.6).toBeCloseTo(gapBars.rich, 2);
    expect(regimeOfGap(gapBars.rich)).toBe('rich');
  });

  it('says when theory does not apply', () => {
    const said = (more: object) => regimeVerdict({ drift: 0.01, ...more }).reasons.join(' ');
    expect(said({ learningRate: 3, maxStep: 2 })).toContain('above the stable 2');
    expect(said({ optimizer: 'momentum' })).toContain('momentum');
    expect(said({ loss: 'crossEntropy', steps: 5000 })).toContain('leaves the kernel regime in the end');
    const form = { differs: true, random: false, penalised: ['hidden'] };
    expect(said({ form })).toMatch(/another form of the network.*Regularisers of hidden/);
    expect(said({ form: { ...form, random: true } })).toContain('draws at random');
    expect(said({})).not.toMatch(/momentum|form|stable|Regularisers/);
  });
});

describe('the verdict against the twin of whole runs', () => {
  beforeAll(async () => {
    await startBackend('wasm');
  });

  it('is right on a thinned grid, and early', async () => {
    const cases = casesOf({
      tasks: ['ridge', 'difference', 'three neurons'],
      widths: [64],
      exponents: [0, 0.5, 1],
      starts: ['symmetric'],
      seeds: [3],
    });
    const runs = [];
    for (const chosen of cases) runs.push(await runCase(chosen, 48));
    expect(new Set(runs.map((r) => truthOf(r.gap))).size).toBeGreaterThan(1);
    const score = scoreOf(runs);
    expect(score.opposite).toBe(0);
    expect(score.right).toBe(1);
    expect(score.rightEarly).toBeGreaterThanOrEqual(8 / 9);
    expect(score.rightBefore).toBeGreaterThanOrEqual(8 / 9);
    expect(score.stable).toBeGreaterThanOrEqual(8 / 9);
    expect(score.off.median).toBeLessThan(1.05);
  }, 120_000);

  it('measures kernels that are singular in float32', async () => {
    const spec = { ...regimeTasks['waves'], train: 192, test: 0 };
    const data = loadData(spec, { folder: '.', seed: 11, loss: 'mse' });
    const model = twoLayerNet(32, { scale: 'm^1', init: 'gaussian' });
    const built = buildModel(model, { inputShape: data.inputShape, outputs: 1, seed: 11 });
    const probe = new KernelProbe(built.model, data, 192, {});
    const { cost, eigenvalues } = await probe.measure(new Float32Array(192));
    expect(eigenvalues[191]).toBeLessThan(1e-6 * eigenvalues[0]);
    expect(cost).toBeGreaterThan(0);
    expect(Number.isFinite(cost)).toBe(true);
    probe.dispose();
  });

  it('judges by the gap alone', () => {
    const run = { task: 'ridge', width: 64, exponent: 0, start: 'symmetric', seed: 1 } as const;
    const verdicts = [0, 1, 10, 100].map(
      (step) => ({ step, regime: step < 100 ? 'lazy' : 'in between', expected: 0.04 }) as const,
    );
    const judgement = judge({ ...run, steps: 100, gap: 0.1, verdicts });
    expect(judgement).toMatchObject({
      truth: 'in between',
      before: 'lazy',
      verdict: 'in between',
      early: 'lazy',
      stable: false,
    });
    expect(judgement.off).toBeCloseTo(2.5, 12);
    expect(judgement.clear).toBeCloseTo(2, 12);
    const [near, , , far] = scoreOf([{ ...run, steps: 100, gap: 0.1, verdicts }]).byDistance;
    expect([near.runs, far.runs, far.right, far.rightEarly]).toEqual([0, 1, 1, 0]);
  });
});
