import { logLogFit } from '../../core/stats/index.js';
import type { Claim } from '../claim.js';
import {
  dataOf,
  interactionTask,
  lastOf,
  networkOf,
  powerLawFigure,
  short,
  training,
  trainToEnd,
  twoLayerNet,
  within,
} from '../laboratory.js';

/** Jacot 2018; Chizat, Oyallon, Bach 2019: at alpha = sqrt(m) the network approaches its linearisation as it widens. */
export const lazyWidth: Claim = {
  id: 'lazy-width',
  title: 'Wide networks stay near their start',
  theme: ['C'],
  statement:
    'With alpha = sqrt(m), relative movement falls as m^-1/2, kernel drift and the distance from the linearised twin as 1/m.',
  setting:
    'Two-layer tanh, d = 10, n = 48, symmetrised, eta = .5 n / lambda_max, until 1 % of the initial loss, m = 64 .. 4096 (quick), 16384 (full).',
  tolerance: 'slopes: movement -1/2 ± .1, kernel drift -1 ± .15, twin gap -1 ± .2',
  source: 'Fang, Dong, Zhang 2021; Jacot, Gabriel, Hongler 2018; Lee et al. 2019',
  sabotage: 'wrong-alpha',
  async measure(context) {
    const widths = context.preset === 'full' ? [64, 256, 1024, 4096, 16384] : [64, 128, 256, 512, 1024, 2048];
    const data = dataOf(interactionTask(), context.seed);
    const laws = { movement: [] as number[], drift: [] as number[], twinGap: [] as number[] };
    for (const [i, width] of widths.entries()) {
      context.progress?.(i / widths.length, `width ${width}`);
      // A planted alpha grows with the width, so that it shows in the exponents and not only in the offset.
      const built = networkOf(twoLayerNet(width), data, context);
      const { rows } = await trainToEnd(
        built,
        data,
        training({
          steps: 4000,
          stop: { lossFraction: 0.01 },
          seed: context.seed,
          measure: { kernels: 2, twin: true, metricsEvery: 100 },
        }),
        context,
      );
      laws.movement.push(lastOf(rows, 'movement'));
      laws.drift.push(lastOf(rows, 'drift'));
      laws.twinGap.push(lastOf(rows, 'twinGap'));
      built.model.dispose();
    }
    const fits = {
      movement: logLogFit(widths, laws.movement),
      drift: logLogFit(widths, laws.drift),
      twinGap: logLogFit(widths, laws.twinGap),
    };
    const passed =
      within(fits.movement.slope, -0.5, 0.1) &&
      within(fits.drift.slope, -1, 0.15) &&
      within(fits.twinGap.slope, -1, 0.2);
    return {
      passed,
      predicted: -1,
      measured: fits.drift.slope,
      interval: fits.drift.interval,
      note: `Slopes: movement ${short(fits.movement.slope)}, drift ${short(fits.drift.slope)}, twin gap ${short(fits.twinGap.slope)}.`,
      figures: [
        powerLawFigure(
          'Movement, drift and twin gap against width',
          'width m',
          (['movement', 'drift', 'twinGap'] as const).map((name) => ({
            label: name,
            x: widths,
            y: laws[name],
            fit: fits[name],
          })),
        ),
      ],
    };
  },
};
