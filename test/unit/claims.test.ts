import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { sabotages } from '../../src/network/training/index.js';
import type { Claim, ClaimContext } from '../../src/theory/claim.js';
import { labelComplexity } from '../../src/theory/claims/labelComplexity.js';
import { mixtureConvex } from '../../src/theory/claims/mixtureConvex.js';
import { figureSvg } from '../../src/theory/figure.js';
import { claims } from '../../src/theory/registry.js';
import { typicalOf } from '../../src/theory/subSeeds.js';
import { verifyOne } from '../../src/theory/verify.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

describe('registry of claims', () => {
  it('holds every claim there is a file for, once', () => {
    const folder = path.join(__dirname, '../../src/theory/claims');
    const ids = readdirSync(folder).map(
      (file) => /\bid: '([a-z0-9-]+)'/.exec(readFileSync(path.join(folder, file), 'utf8'))?.[1],
    );
    expect(claims.map((c) => c.id).sort()).toEqual([...ids].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(claims.map((claim) => [claim.id, claim] as const))('describes %s wholly', (_, claim) => {
    expect(sabotages).toContain(claim.sabotage);
    expect(claim.theme.length).toBeGreaterThan(0);
    for (const text of [claim.title, claim.statement, claim.setting, claim.tolerance, claim.source])
      expect(text.trim().length).toBeGreaterThan(5);
  });
});

describe('verify', () => {
  const setting = { preset: 'quick', sabotage: false, backend: 'cpu' } as const;

  it('calls a claim that throws red, with the reason', async () => {
    const broken: Claim = {
      ...labelComplexity,
      measure: async ({ seed }) => {
        throw new Error(`seed ${seed} is broken`);
      },
    };
    const { result } = await verifyOne(broken, 2, setting);
    expect(result).toMatchObject({ id: 'label-complexity', passed: false, seed: 2 });
    expect(result.note).toContain('seed 2 is broken');
  });

  it('plants the fault of each claim when asked to', async () => {
    const planted: ClaimContext['sabotage'][] = [];
    const watched: Claim = {
      ...mixtureConvex,
      measure: async ({ sabotage }) => {
        planted.push(sabotage);
        return { passed: true, predicted: 0, measured: 0, interval: null, note: '', figures: [] };
      },
    };
    for (const sabotage of [false, true]) await verifyOne(watched, 1, { ...setting, sabotage });
    expect(planted).toEqual([undefined, 'wrong-alpha']);
  });
});

it('takes the geometric mean of a ratio with its interval', () => {
  const { value, interval } = typicalOf([1, 4]);
  expect(value).toBeCloseTo(2, 12);
  expect(interval[0] * interval[1]).toBeCloseTo(4, 9);
  expect(interval[0]).toBeLessThan(1);
});

// The cheapest claim stands for all; `kernelscope verify`, with and without --sabotage, runs every one.
describe.each(backendsUnderTest)('label-complexity on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it('is green, draws its figure, and turns red with labels out of step', { timeout: 120_000 }, async () => {
    const outcome = await labelComplexity.measure({ seed: 4, preset: 'quick' });
    expect(outcome.passed, outcome.note).toBe(true);
    expect(outcome.interval?.[0]).toBeLessThan(outcome.measured);
    for (const figure of outcome.figures) expect(figureSvg(figure)).toContain('stroke-dasharray');
    const red = await labelComplexity.measure({ seed: 4, preset: 'quick', sabotage: 'shifted-labels' });
    expect(red.passed).toBe(false);
  });
});
