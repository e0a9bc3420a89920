import { driftBars, gapBars, type RegimeBars } from '../../src/core/measures/regimeBars.js';
import type { Level } from '../charts/lineChart.js';
import { formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import type { Card, CardPlace } from './card.js';
import { ColumnsCard } from './columnsCard.js';
import { KernelCard } from './kernelCard.js';
import { ModesCard } from './modesCard.js';
import { MovementCard } from './movementCard.js';
import { ParticlesCard } from './particlesCard.js';
import { PathsCard } from './pathsCard.js';
import { RegimeCard } from './regimeCard.js';
import { SpectrumCard } from './spectrumCard.js';

/** Every card of the dashboard, in reading order; a card is shown once something was measured for it. */
export function createCards(place: CardPlace): readonly Card[] {
  return [
    lossCard(place),
    new SpectrumCard(place),
    new MovementCard(place),
    new ParticlesCard(place),
    new RegimeCard(place),
    new ModesCard(place),
    new KernelCard(place),
    driftCard(place),
    accuracyCard(place),
    stabilityCard(place),
    new PathsCard(place),
  ];
}

const isCrossEntropy = (run: RunData): boolean => run.info.definition['loss'] === 'crossEntropy';

const lossCard = (place: CardPlace): Card =>
  new ColumnsCard({
    ...place,
    id: 'loss',
    title: t('Loss'),
    explanation: t(
      'How far the network is from its targets, on the training and on the test samples. The dashed lines are what theory says: the network replaced by its linearisation at the start (twin), and the decay that the kernel’s eigenvalues predict. Where they part from the solid line, the network has left the kernel regime.',
    ),
    missing: t('the loss: it comes with the first metrics row'),
    panels: [
      {
        yLabel: (run) => (isCrossEntropy(run) ? t('cross-entropy (nats)') : t('loss')),
        logY: true,
        lines: [
          { name: 'loss', label: t('train'), color: 0 },
          { name: 'testLoss', label: t('test'), color: 1 },
          {
            name: 'predictedLoss',
            label: t('predicted by the kernel'),
            color: 2,
            stroke: 'dashed',
            alone: true,
          },
          { name: 'twinLoss', label: t('linearised twin'), color: 3, stroke: 'dotted', alone: true },
          { name: 'twinTestLoss', label: t('twin, test'), color: 4, stroke: 'dotted', alone: true },
        ],
      },
    ],
    units: (run) =>
      run.info.kind === 'watched'
        ? t('the loss that the program minimises, of the batch of a step')
        : isCrossEntropy(run)
          ? t('cross-entropy in nats per sample')
          : t('½ mean of (f − y)² over samples and outputs'),
    describe: describeLoss,
  });

/** The bars of a regime, as the verdict has them. */
const levelsOf = ({ lazy, rich }: RegimeBars): Level[] => [
  { label: t('lazy below'), value: lazy, under: true },
  { label: t('rich above'), value: rich },
];

const driftCard = (place: CardPlace): Card =>
  new ColumnsCard({
    ...place,
    id: 'drift',
    title: t('Kernel drift and task cost'),
    explanation: t(
      'Drift is how far the kernel is from its start, relative to the start: near zero in lazy training, of order one when features are learnt. The twin gap is the distance between the network and its linearisation. C(y) says how expensive the task is for the kernel of the moment; it falls when the kernel adapts to the task. Alignment is the cosine between the kernel and that of the labels.',
    ),
    missing: t('kernel drift and C(y): set measure.kernels above 1'),
    panels: [
      {
        yLabel: t('relative change'),
        logY: true,
        levels: levelsOf(driftBars),
        lines: [{ name: 'drift', label: t('kernel drift'), color: 0 }],
      },
      {
        yLabel: t('twin gap'),
        logY: true,
        levels: levelsOf(gapBars),
        lines: [{ name: 'twinGap', label: t('twin gap'), color: 3, stroke: 'dashed' }],
      },
      {
        yLabel: 'C(y) / C₀(y)',
        logY: true,
        lines: [
          { name: 'cost', label: t('task cost C(y)'), color: 1 },
          { name: 'alignment', label: t('alignment'), color: 2, stroke: 'dashdot' },
        ],
      },
    ],
    units: () => t('relative to the kernel at the start'),
    describe: (run) =>
      t('Kernel drift {0}, task cost {1}, alignment {2}.', ...lastOf(run, ['drift', 'cost', 'alignment'])),
  });

const accuracyCard = (place: CardPlace): Card =>
  new ColumnsCard({
    ...place,
    id: 'accuracy',
    title: t('Accuracy'),
    explanation: t(
      'Share of samples whose class the network names correctly, on the training and on the test set.',
    ),
    missing: t('accuracy: data with classes'),
    panels: [
      {
        yLabel: t('share correct'),
        share: true,
        lines: [
          { name: 'trainAccuracy', label: t('train'), color: 0 },
          { name: 'accuracy', label: t('test'), color: 1, stroke: 'dashed' },
        ],
      },
    ],
    units: () => t('share of samples named correctly'),
    describe: (run) => t('Test accuracy {0}.', formatPercent(run.last('accuracy'))),
  });

const stabilityCard = (place: CardPlace): Card =>
  new ColumnsCard({
    ...place,
    id: 'stability',
    title: t('Sharpness against 2/η'),
    explanation: t(
      'Gradient descent is stable while the sharpness, the largest eigenvalue of the loss’s Hessian, stays below 2 divided by the step size. With large steps the sharpness rises to that line and hovers there: the edge of stability.',
    ),
    missing: t('the sharpness of the loss: set measure.sharpness to true'),
    needs: 'sharpness',
    panels: [
      {
        yLabel: t('curvature'),
        zero: true,
        lines: [
          { name: 'sharpness', label: t('sharpness'), color: 0 },
          { name: 'stepBound', label: t('2/η, the edge of stability'), color: 1, stroke: 'dashed' },
        ],
      },
    ],
    units: () => t('top eigenvalue of the loss’s Hessian'),
    describe: (run) =>
      t('Sharpness {0}; the step is stable below {1}.', ...lastOf(run, ['sharpness', 'stepBound'])),
  });

const lastOf = (run: RunData, names: readonly string[]): string[] =>
  names.map((name) => formatNumber(run.last(name)));

function describeLoss(run: RunData): string {
  const parts = [t('Step {0}: training loss {1}', ...lastOf(run, ['step', 'loss']))];
  const test = run.last('testLoss');
  if (test !== null) parts.push(t('test loss {0}', formatNumber(test)));
  const accuracy = run.last('accuracy');
  if (accuracy !== null) parts.push(t('test accuracy {0}', formatPercent(accuracy)));
  return `${parts.join(', ')}.`;
}
