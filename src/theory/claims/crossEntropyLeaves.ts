import { type LineFit, logLogFit } from '../../core/stats/index.js';
import type { RegimeRecord } from '../../protocol/records.js';
import type { Claim, ClaimContext } from '../claim.js';
import { signTask } from '../formulaTasks.js';
import { columnOf, networkOf, short, training, trainToEnd, twoLayerNet } from '../laboratory.js';

/** What the verdict must say at the end of such a run. */
const warning = /cross-entropy/;
/** The growth is fitted from this share of the run on. */
const late = 0.1;
/** Least growth of the drift over that part. */
const growing = 1.1;

/** Most of the loss that may be left: outputs that settle, as under the squared loss, leave far more. */
const most = 0.05;

interface Run {
  readonly width: number;
  readonly step: readonly number[];
  readonly drift: readonly number[];
  /** Drift at the end over that at a tenth of the run. */
  readonly growth: number;
  readonly fit: LineFit;
  readonly lossLeft: number;
  readonly warned: boolean;
}

async function runOf(context: ClaimContext, width: number, steps: number): Promise<Run> {
  const { seed } = context;
  const score = (x: Float32Array) => x[0] + 0.5 * x[1] * x[2];
  const data = signTask('curved boundary', { dimension: 5, train: 40 }, score, seed);
  const built = networkOf(twoLayerNet(width), data, context);
  try {
    const { rows, records } = await trainToEnd(
      built,
      data,
      training({
        loss: 'crossEntropy',
        steps,
        probe: 40,
        seed,
        measure: { kernels: 24, metricsEvery: steps },
      }),
      context,
    );
    const course = columnOf(rows, 'drift');
    // The start has no drift, and no place on a logarithmic axis.
    const [step, drift] = [course.step.slice(1), course.value.slice(1)];
    const from = step.findIndex((s) => s >= late * steps);
    const losses = columnOf(rows, 'loss').value;
    const verdicts = records.filter((r): r is RegimeRecord => r.kind === 'regime');
    return {
      width,
      step,
      drift,
      growth: drift[drift.length - 1] / drift[from],
      fit: logLogFit(step.slice(from), drift.slice(from)),
      lossLeft: losses[losses.length - 1] / losses[0],
      warned: verdicts.at(-1)?.reasons.some((reason) => warning.test(reason)) ?? false,
    };
  } finally {
    built.model.dispose();
  }
}

/** Lyu, Li 2020; Chizat, Bach 2020: under the logistic loss outputs grow for ever, and no finite network stays lazy. */
export const crossEntropyLeaves: Claim = {
  id: 'cross-entropy-leaves',
  title: 'Under cross-entropy every finite network leaves the kernel regime',
  theme: ['beyond'],
  statement:
    'Under the logistic loss outputs and weights grow without bound, so that the kernel keeps drifting at every finite width long after all samples are fitted; the verdict then says that theory no longer holds.',
  setting:
    'Two-layer tanh, alpha = sqrt(m), symmetrised, d = 5, n = 40, two classes by the sign of x1 + x2 x3 / 2, cross-entropy, half the largest stable step of the start, 2500 (quick) or 20000 steps, m = 64, 256, 1024; power law of the drift in the steps over the last nine tenths.',
  tolerance: `at every width the drift still grows over the last nine tenths of the run: exponent above 0 with 95 % confidence and at least x${growing}; the loss falls to ${100 * most} % of its start or less; the verdict names cross-entropy`,
  source: 'Lyu, Li 2020; Chizat, Bach 2020; Fang, Dong, Zhang 2021',
  sabotage: 'wrong-loss',
  async measure(context) {
    const widths = [64, 256, 1024];
    const steps = context.preset === 'full' ? 20000 : 2500;
    const runs: Run[] = [];
    for (const [i, width] of widths.entries()) {
      context.progress?.(i / widths.length, `width ${width}`);
      runs.push(await runOf(context, width, steps));
    }
    const slowest = runs.reduce((a, b) => (b.growth < a.growth ? b : a));
    return {
      passed: runs.every(
        (r) => r.fit.interval[0] > 0 && r.growth >= growing && r.lossLeft <= most && r.warned,
      ),
      predicted: growing,
      measured: slowest.growth,
      interval: null,
      note: `Theory's number is the least growth of the drift. ${runs
        .map(
          ({ width, growth, fit, lossLeft, drift }) =>
            `m = ${width}: x${short(growth)} to ${short(drift[drift.length - 1])}, exponent ${short(fit.slope)} [${fit.interval.map(short).join(', ')}], ${short(100 * lossLeft)} % of the loss left`,
        )
        .join('; ')}.${runs.every((r) => r.warned) ? '' : ' The verdict does not name cross-entropy.'}`,
      figures: [
        {
          title: 'Kernel drift in a long run under cross-entropy',
          xLabel: 'step',
          yLabel: 'kernel drift',
          logX: true,
          logY: true,
          series: runs.flatMap(({ width, step, drift, fit }) => {
            const fitted = step.filter((s) => s >= late * steps);
            return [
              { label: `m = ${width}`, x: step, y: drift, style: 'dots' as const },
              {
                label: `exponent ${short(fit.slope)} [${fit.interval.map(short).join(', ')}]`,
                x: fitted,
                y: fitted.map((s) => Math.exp(fit.intercept + fit.slope * Math.log(s))),
                style: 'dashed' as const,
              },
            ];
          }),
        },
      ],
    };
  },
};
