import { formatNumber, formatPercent } from '../format.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';
import type { Card, Outlet } from './card.js';
import { ColumnsCard } from './columnsCard.js';
import { KernelCard } from './kernelCard.js';
import { ModesCard } from './modesCard.js';
import { MovementCard } from './movementCard.js';
import { ParticlesCard } from './particlesCard.js';
import { RegimeCard } from './regimeCard.js';
import { SpectrumCard } from './spectrumCard.js';

/** Every card of the dashboard, in reading order. Cards with nothing measured hide behind the three first ones. */
export function createCards(outlet: Outlet, onChange: () => void): readonly Card[] {
  const shared = { outlet, onChange };
  return [
    new ColumnsCard({
      ...shared,
      id: 'loss',
      title: t('Loss'),
      yLabel: t('loss'),
      logY: true,
      explanation: t(
        'How far the network is from its targets, on the training and on the test samples. The dashed lines are what theory says: the network replaced by its linearisation at the start (twin), and the decay that the kernel’s eigenvalues predict. Where they part from the solid line, the network has left the kernel regime.',
      ),
      lines: [
        { name: 'loss', label: t('train'), color: 0 },
        { name: 'testLoss', label: t('test'), color: 1 },
        { name: 'twinLoss', label: t('linearised twin'), color: 3, dashed: true },
        { name: 'predictedLoss', label: t('predicted by the kernel'), color: 2, dashed: true },
      ],
      describe: describeLoss,
    }),
    new SpectrumCard(shared),
    new MovementCard(shared),
    new RegimeCard(shared),
    new ModesCard(shared),
    new KernelCard(shared),
    new ColumnsCard({
      ...shared,
      id: 'drift',
      title: t('Kernel drift and task cost'),
      yLabel: t('relative'),
      explanation: t(
        'Drift is how far the kernel is from its start, relative to the start: near zero in lazy training, of order one when features are learnt. C(y) says how expensive the task is for the kernel of the moment; it falls when the kernel adapts to the task. The twin gap is the distance between the network and its linearisation.',
      ),
      lines: [
        { name: 'drift', label: t('kernel drift'), color: 0 },
        { name: 'twinGap', label: t('twin gap'), color: 3, dashed: true },
        { name: 'cost', label: t('task cost C(y)'), color: 1 },
        { name: 'alignment', label: t('alignment'), color: 2 },
      ],
      describe: (run) =>
        t('Kernel drift {0}, task cost {1}, alignment {2}.', ...lastOf(run, ['drift', 'cost', 'alignment'])),
    }),
    new ColumnsCard({
      ...shared,
      id: 'accuracy',
      title: t('Accuracy'),
      yLabel: t('share correct'),
      explanation: t(
        'Share of samples whose class the network names correctly, on the training and on the test set.',
      ),
      lines: [
        { name: 'accuracy', label: t('test'), color: 1 },
        { name: 'trainAccuracy', label: t('train'), color: 0 },
      ],
      describe: (run) => t('Test accuracy {0}.', formatPercent(run.last('accuracy'))),
    }),
    new ColumnsCard({
      ...shared,
      id: 'stability',
      title: t('Sharpness and step size'),
      yLabel: t('curvature'),
      explanation: t(
        'Gradient descent is stable while the sharpness, the largest eigenvalue of the loss’s Hessian, stays below 2 divided by the step size. With large steps the sharpness rises to that line and hovers there: the edge of stability.',
      ),
      lines: [
        { name: 'sharpness', label: t('sharpness'), color: 4 },
        { name: 'stepBound', label: t('2 / step size'), color: 0, dashed: true },
      ],
      describe: (run) =>
        t('Sharpness {0}; the step is stable below {1}.', ...lastOf(run, ['sharpness', 'stepBound'])),
    }),
    new ParticlesCard(shared),
  ];
}

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
