import { describe, expect, it, vi } from 'vitest';
import { Budget } from '../../src/watch/scope/budget.js';

describe('the budget of a watch', () => {
  it('keeps kernels and rows together to a tenth of the program, each from a purse of its own', () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const budget = new Budget(200);
    const spend = (milliseconds: number) => () => {
      now += milliseconds;
    };
    // Short programs: half a second for kernels beside loading, a little for rows.
    expect(budget.affords(500)).toBe(true);
    expect(budget.affords(501)).toBe(false);
    expect(budget.count(spend(600))).toBe(600);
    expect(budget.affords(1)).toBe(false);
    expect(budget.affordsRow(300)).toBe(true);
    expect(budget.affordsRow(301)).toBe(false);
    // A look inside a row belongs to the kernels.
    const row = budget.countRow(() => {
      now += 50;
      return 40;
    });
    expect(row).toBe(10);
    let looks = 0;
    let rows = 0;
    for (let second = 0; second < 60; second++) {
      now += 1000;
      while (budget.affords(100)) looks += budget.count(spend(100));
      while (budget.affordsRow(20))
        rows += budget.countRow(() => {
          now += 20;
          return 0;
        });
    }
    // With what the first look took too much: it is made up for.
    expect(looks + rows + 200 + 600 + 50).toBeGreaterThan(0.085 * 60_000);
    expect(looks + rows + 200 + 600 + 50).toBeLessThanOrEqual(0.1 * 60_000);
    const before = budget.tax;
    now += 5000;
    budget.held(5000);
    expect(budget.tax).toBe(before);
    vi.restoreAllMocks();
  });
});
