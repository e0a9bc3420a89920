import { describe, expect, it } from 'vitest';
import { sparkline } from '../../src/core/series/index.js';

describe('a sparkline', () => {
  it('spans its values', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(sparkline([3, 3, 3])).toBe('▁▁▁');
    expect(sparkline([Number.NaN])).toBe('');
  });
  it('is logarithmic when positive values span more than a decade', () => {
    expect(sparkline([1e6, 1e3, 1])).toBe('█▅▁');
  });
  it('picks both ends, and the first indices of a spectrum', () => {
    const values = Array.from({ length: 1000 }, (_, k) => 1 / (k + 1));
    const bars = sparkline(values, { width: 10, logIndex: true });
    expect(bars).toHaveLength(10);
    expect(bars[0]).toBe('█');
    expect(bars.at(-1)).toBe('▁');
    // A power law is a straight line on two log axes.
    expect(sparkline(values, { width: 8, logIndex: true })).toBe('█▇▆▅▄▃▂▁');
  });
  it('draws what lies below the floor as the floor', () => {
    expect(sparkline([1, 1e-2, -1e-9, 1e-12], { floor: 1e-4 })).toBe('█▅▁▁');
  });
});
