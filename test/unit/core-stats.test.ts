import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import {
  commonSlopeFit,
  digamma,
  erfc,
  ksNormal,
  linearFit,
  logGamma,
  logLogFit,
  meanInterval,
  median,
  pearson,
  quantiles,
  standardDeviation,
  studentCdf,
  studentQuantile,
} from '../../src/core/stats/index.js';
import { kolmogorovTail } from '../../src/core/stats/summary.js';

const close = (actual: number, expected: number, relative = 1e-12) =>
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThanOrEqual(
    relative * Math.abs(expected),
  );

// Expected numbers are SciPy's.
describe('special functions', () => {
  it('agrees with SciPy', () => {
    [0.3, 1, 7.5, 200].forEach((x, i) => {
      close(digamma(x), [-3.502524222200133, -0.5772156649015329, 1.9467574842460866, 5.295815283219911][i]);
    });
    [0.3, 5, 200.5].forEach((x, i) => {
      close(logGamma(x), [1.0957979948180756, 3.1780538303479458, 860.5822035097824][i]);
    });
    const tails = [
      1.8427007929497148, 0.8875370839817152, 0.007209570764742531, 0.0029794666563329845,
      1.5374597944280347e-12, 5.395865611607901e-176,
    ];
    [-1, 0.1, 1.9, 2.1, 5, 20].forEach((x, i) => {
      close(erfc(x), tails[i], 1e-11);
    });
    const t = [
      12.706204736174694, 4.302652729749462, 2.5705818356363146, 2.0422724563012378, 1.9623390808264083,
    ];
    [1, 2, 5, 30, 1000].forEach((degrees, i) => {
      close(studentQuantile(0.95, degrees), t[i], 1e-11);
    });
    close(studentCdf(studentQuantile(0.9, 7), 7), 0.95);
    close(studentCdf(-studentQuantile(0.9, 7), 7), 0.05, 1e-11);
  });
});

describe('fits', () => {
  it('gives the line and interval that SciPy gives', () => {
    const fit = linearFit([1, 2, 3, 4, 6], [2.1, 3.9, 6.2, 7.8, 12.5]);
    close(fit.slope, 2.074324324324324);
    close(fit.intercept, -0.13783783783783754, 1e-11);
    close(fit.standardError, 0.07010983070393521);
    close(fit.interval[0], 1.8512035526365191);
    close(fit.interval[1], 2.297445096012129);
    close(fit.r2, 0.9982908457868357 ** 2);
  });

  it('finds a power law, leaves out what has no logarithm, and covers the truth at its level', () => {
    const x = [0, 1, 10, 100, 1000];
    const exact = logLogFit(
      x,
      x.map((v) => 3 * v ** -0.5),
    );
    close(exact.slope, -0.5);
    close(exact.intercept, Math.log(3));
    expect(exact.points).toBe(4);
    const random = new Random(2);
    let covered = 0;
    for (let round = 0; round < 1000; round++) {
      const y = [1, 2, 3, 4, 5, 6].map((v) => 2 * v + random.normal());
      const { interval } = linearFit([1, 2, 3, 4, 5, 6], y);
      if (interval[0] <= 2 && 2 <= interval[1]) covered++;
    }
    expect(Math.abs(covered / 1000 - 0.95)).toBeLessThan(0.028); // four standard errors
  });

  it('fits one slope to several series whatever their constants, and covers the truth at its level', () => {
    const x = [0, 1, 2, 3];
    const exact = commonSlopeFit(x, [
      [1, 3, 5, 7],
      [10, 12, Number.NaN, 16],
    ]);
    close(exact.slope, 2);
    expect(exact.points).toBe(7);
    // Equal to the regression on indicator variables: means 1.5 and 5, deviations from the lines (1, -2, 1, 0) and their negatives.
    const fit = commonSlopeFit(
      [-1, 0, 1],
      [
        [1, 0, 1],
        [3, 7, 5],
      ],
    );
    close(fit.slope, 0.5);
    const rest = [1 / 3 + 0.5, -2 / 3, 1 / 3 - 0.5, -2 + 0.5, 2, -0.5];
    close(fit.standardError, Math.sqrt(rest.reduce((s, r) => s + r * r, 0) / 3 / 4));
    const random = new Random(3);
    let covered = 0;
    for (let round = 0; round < 1000; round++) {
      const series = [0, 50, -20].map((offset) => x.map((v) => offset + 2 * v + random.normal()));
      const { interval } = commonSlopeFit(x, series);
      if (interval[0] <= 2 && 2 <= interval[1]) covered++;
    }
    expect(Math.abs(covered / 1000 - 0.95)).toBeLessThan(0.028); // four standard errors
  });

  it('says what it needs', () => {
    expect(linearFit([1, 2], [3, 5])).toMatchObject({ slope: 2, interval: [-Infinity, Infinity] });
    expect(() => linearFit([1, 1], [2, 3])).toThrow('at least two different finite x');
    expect(() => linearFit([1, 2, 3], [1, 2])).toThrow('3 and 2');
  });
});

describe('summaries', () => {
  it('takes quantiles like NumPy and skips gaps', () => {
    expect(quantiles([3, 1, Number.NaN, 2, 10], [0, 0.25, 0.5, 1])).toEqual([1, 1.75, 2.5, 10]);
    expect(median([5])).toBe(5);
    expect(median([])).toBeNaN();
    close(standardDeviation([1, 2, 3, 4], 1), Math.sqrt(5 / 3));
    close(pearson([1, 2, 3], [2, 4, 6.5]), 0.9979487157886735);
    expect(pearson([1, 2], [1, 1])).toBeNaN();
  });

  it('gives the interval of a mean that SciPy gives', () => {
    const [low, high] = meanInterval([1, 2, 4, 5.5]);
    close(low, -0.08221279791526737, 1e-9);
    close(high, 6.332212797915267, 1e-9);
    expect(meanInterval([3])).toEqual([-Infinity, Infinity]);
  });

  it('gives exact Kolmogorov-Smirnov p-values', () => {
    const test = ksNormal([0.1, -0.4, 1.2, 2.1, -1.3, 0.7, 0.05, -0.9]);
    close(test.statistic, 0.1449388058383725);
    close(test.pValue, 0.9863710259842506, 1e-10);
    // SciPy itself approximates above n = 140.
    close(kolmogorovTail(0.05, 500), 0.15866260223815387, 1e-6);
    close(kolmogorovTail(0.3, 5), 0.664, 1e-10);
    close(kolmogorovTail(0.04, 100), 0.995307510717411, 1e-9);
    close(kolmogorovTail(0.02, 1500), 0.5788956752649125, 1e-6);
    close(kolmogorovTail(0.01, 10000), 0.2682191277029192, 1e-2);
    const shifted = new Random(1).normals(300).map((v) => v + 0.5);
    expect(ksNormal(shifted).pValue).toBeLessThan(1e-6);
  });
});
