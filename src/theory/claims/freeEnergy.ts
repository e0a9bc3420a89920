import { freeEnergy as freeEnergyOf, nearestNeighbourEntropy } from '../../core/measures/index.js';
import { type LineFit, linearFit, mean, standardDeviation } from '../../core/stats/index.js';
import type { Claim, ClaimContext } from '../claim.js';
import { planeTask } from '../formulaTasks.js';
import { short } from '../laboratory.js';
import { noisyDescent, noisyStep } from '../noisyDescent.js';
import { subSeeds } from '../subSeeds.js';

const width = 600;
const temperature = 0.1;
const lambdas = [0.05, 0.1, 0.2];
/** Relative to 2 lambda. */
const tolerance = 0.4;
/** The fit runs from this excess down to so many times its noise. */
const highest = 0.15;
const floor = 3;
/** Length of a run in units of 1 / lambda, and looks at the neurons along it; the last third gives F*. */
const memories = 5;
const looks = 60;

interface Decay {
  readonly lambda: number;
  readonly time: readonly number[];
  /** F - F*, mean over the runs. */
  readonly excess: readonly number[];
  /** Standard deviation of the excess in the last third. */
  readonly noise: number;
  readonly fit: LineFit;
  /** Points of the fit: from, to (exclusive). */
  readonly range: readonly [number, number];
}

async function decayOf(context: ClaimContext, lambda: number, seeds: readonly number[]): Promise<Decay> {
  const steps = Math.round(memories / lambda / noisyStep);
  const every = Math.max(1, Math.round(steps / looks));
  const data = planeTask(context.seed);
  const courses: number[][] = [];
  let time: number[] = [];
  for (const seed of seeds) {
    const states = await noisyDescent(
      { data, width, start: 'far', lambda, temperature, steps, every, seed: `${seed}/${lambda}` },
      context,
    );
    time = states.map((s) => s.time);
    courses.push(states.map((s) => freeEnergyOf(s.loss, temperature, nearestNeighbourEntropy(s.cloud))));
  }
  const course = time.map((_, t) => mean(courses.map((c) => c[t])));
  const tail = course.slice(Math.floor((2 / 3) * course.length));
  const excess = course.map((f) => f - mean(tail));
  const noise = standardDeviation(tail, 1);
  if (!Number.isFinite(noise))
    throw new Error(
      `at lambda = ${lambda} the free energy does not settle at a finite value: neurons come to lie on one another.`,
    );
  const from = excess.findIndex((e) => e < highest);
  const end = excess.findIndex((e, t) => t > from && e < floor * noise);
  const to = Math.max(from + 3, end);
  const fit = linearFit(time.slice(from, to), excess.slice(from, to).map(Math.log));
  return { lambda, time, excess, noise, fit, range: [from, to] };
}

/** Mei, Montanari, Nguyen 2018; Hu, Ren, Siska, Szpruch 2021: noisy descent lowers the free energy at a geometric rate. */
export const freeEnergy: Claim = {
  id: 'free-energy',
  title: 'The free energy falls geometrically',
  theme: ['E'],
  statement:
    'Under noisy gradient descent F - F*, F = regularised loss - tau entropy, falls exponentially, the faster the stronger the L2; near the optimum at a rate of about 2 lambda, that of the L2 term alone.',
  setting: `f = (1/m) sum u tanh(theta.x), d = 2, n = 100, y = tanh(2 x1) - .5 tanh(x1 - 1.5 x2), m = ${width}, tau = ${temperature}, dt = ${noisyStep}, lambda = ${lambdas.join(', ')}, from N((2; 2, -2), .09 I) for a time of ${memories} / lambda; entropy by third nearest neighbours; mean of 3 (quick) or 8 runs, F* the mean of the last third; log (F - F*) fitted from ${highest} down to ${floor} times its noise.`,
  tolerance: `rate within ${100 * tolerance} % of 2 lambda at each lambda, and rising with lambda`,
  source: 'Mei, Montanari, Nguyen 2018; Hu, Ren, Siska, Szpruch 2021; Fang, Dong, Zhang 2021',
  sabotage: 'drop-noise',
  async measure(context) {
    const seeds = subSeeds(context, context.preset === 'full' ? 8 : 3);
    const decays: Decay[] = [];
    for (const [i, lambda] of lambdas.entries()) {
      context.progress?.(i / lambdas.length, `lambda = ${lambda}`);
      decays.push(await decayOf(context, lambda, seeds));
    }
    const rates = decays.map((d) => -d.fit.slope);
    const ratios = decays.map((d, i) => rates[i] / (2 * d.lambda));
    const middle = decays[1].fit.interval;
    return {
      passed: ratios.every((r) => Math.abs(r - 1) <= tolerance) && rates[0] < rates[1] && rates[1] < rates[2],
      predicted: 2 * lambdas[1],
      measured: rates[1],
      interval: [-middle[1], -middle[0]],
      note: decays
        .map(
          ({ lambda, fit, noise, range }, i) =>
            `lambda ${lambda}: rate ${short(rates[i])} = ${short(ratios[i])} times 2 lambda (r2 ${fit.r2.toFixed(3)}, ${range[1] - range[0]} points, noise ${short(noise)})`,
        )
        .join('; ')
        .concat('.'),
      figures: [
        {
          title: 'Free energy above its optimum',
          xLabel: 'training time x lambda',
          yLabel: 'F - F*',
          logY: true,
          series: decays.flatMap(({ lambda, time, excess, noise, fit, range }) => {
            const end = excess.findIndex((e) => e < noise);
            const shown = time.slice(0, end < 0 ? time.length : end);
            const fitted = time.slice(...range);
            return [
              {
                label: `lambda = ${lambda}`,
                x: shown.map((t) => t * lambda),
                y: excess.slice(0, shown.length),
                style: 'dots' as const,
              },
              {
                label: `rate ${short(-fit.slope)}, theory ${2 * lambda}`,
                x: fitted.map((t) => t * lambda),
                y: fitted.map((t) => Math.exp(fit.intercept + fit.slope * t)),
                style: 'dashed' as const,
              },
            ];
          }),
        },
      ],
    };
  },
};
