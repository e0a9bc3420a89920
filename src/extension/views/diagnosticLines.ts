import * as vscode from 'vscode';
import { sparkline } from '../../core/series/index.js';
import type { Inspection } from '../../protocol/trainerWire.js';
import { number, percent } from '../format.js';
import type { RunModel } from '../runs/liveRun.js';
import { spoken } from '../spoken/spoken.js';

/** One line of the side panel. */
export interface Line {
  readonly label: string;
  readonly value?: string;
  readonly icon?: string;
  /** What the number means, in a sentence. */
  readonly meaning?: string;
  /** Heading of the page that says more about it. */
  readonly explains?: string;
  readonly children?: readonly Line[];
  readonly command?: vscode.Command;
}

const { l10n } = vscode;

/** Modes whose label energy is summed. */
const topModes = 10;

const spectrumBars = { width: 8, logIndex: true } as const;
const lossBars = { width: 8 } as const;

/** What a run says while it goes on. */
export const liveLine = (model: RunModel): Line => ({
  label: l10n.t('While training'),
  icon: 'sync~spin',
  value:
    model.info.steps === undefined
      ? l10n.t('step {0}', number(model.last('step') || 0))
      : l10n.t('step {0} of {1}', number(model.last('step') || 0), number(model.info.steps)),
  command: { command: 'kernelscope.showRun', title: '', arguments: [model.id] },
  children: [
    { label: l10n.t('Loss'), value: `${sparkline(model.column('loss'))} ${number(model.last('loss'))}` },
    {
      label: l10n.t('Kernel drift'),
      value: number(model.last('drift')),
      explains: 'drift',
      meaning: l10n.t(
        'How far the kernel is from its start, relative to the start: near zero in lazy training, of order one when features are learnt.',
      ),
    },
    {
      label: l10n.t('Movement'),
      value: number(model.last('movement')),
      explains: 'movement',
      meaning: l10n.t('How far the weights are from their start, relative to their size at the start.'),
    },
    {
      label: l10n.t('Regime'),
      value: l10n.t(model.regime?.regime ?? 'undetermined'),
      explains: 'regime',
      meaning: model.regime?.reasons.map(spoken).join('\n'),
    },
    {
      label: l10n.t('Cost of the diagnostics'),
      value: percent(model.last('tax') || 0),
      explains: 'tax',
      meaning: l10n.t('Share of the run’s time spent on measuring.'),
    },
  ],
});

/** What theory says before training. Where inputs stand in for unknown data, what needs targets is left out. */
export function inspectionLines(found: Inspection): Line[] {
  const { data } = found;
  return [
    ...(found.problems.length > 0 ? [problemsLine(found)] : []),
    ...(data.placeholderData ? [placeholderDataLine()] : []),
    ...(found.notes.length > 0 ? [notesLine(found)] : []),
    parametersLine(found),
    spectrumLine(found),
    ...(data.placeholderData ? [] : [stepLine(found), predictionLine(found), regimeLine(found)]),
    {
      label: l10n.t('Backend'),
      value: found.backend.name,
      icon: 'server-process',
      explains: 'backend',
      meaning: spoken(found.backend.why),
      command: { command: 'kernelscope.doctor', title: '' },
    },
  ];
}

const problemsLine = ({ problems }: Inspection): Line => ({
  label: problems.length === 1 ? l10n.t('1 problem') : l10n.t('{0} problems', problems.length),
  value: problems.map((p) => p.code).join(', '),
  icon: problems.some((p) => p.severity !== 'information') ? 'warning' : 'info',
  meaning: l10n.t('Underlined in the file, with fixes. Click to see the list.'),
  command: { command: 'workbench.actions.view.problems', title: '' },
});

const notesLine = ({ notes }: Inspection): Line => ({
  label: l10n.t('Notes'),
  value: String(notes.length),
  icon: 'note',
  meaning: l10n.t('What was found out, left out or replaced when the model file and its data were read.'),
  children: notes.map((note) => ({ label: spoken(note), meaning: spoken(note) })),
});

const placeholderDataLine = (): Line => ({
  label: l10n.t('No data yet'),
  value: l10n.t('normal inputs stand in'),
  icon: 'question',
  explains: 'data',
  meaning: l10n.t(
    'This builder brings no data. Train it once and choose some: then step size, prediction and regime appear here.',
  ),
});

const parametersLine = (found: Inspection): Line => ({
  label: l10n.t('Parameters'),
  value: found.parameters.toLocaleString(vscode.env.language),
  icon: 'symbol-numeric',
  explains: 'parameters',
  meaning: l10n.t('Number of weights; below, by layer.'),
  children: found.layers
    .filter((layer) => layer.parameters > 0)
    .map((layer) => ({
      label: layer.label,
      value: `${l10n.t('kernel {0}', percent(layer.kernelShare, 0))} · ${layer.parameters.toLocaleString(vscode.env.language)} · [${layer.outputShape.slice(1).join(', ')}]`,
      explains: 'parameters',
      meaning: l10n.t('Share of the trace of the kernel, number of weights, and shape of the outputs.'),
    })),
});

const range = (values: Float64Array): string => `${number(values[0])} … ${number(values[values.length - 1])}`;

function spectrumLine(found: Inspection): Line {
  const { eigenvalues, energy, limitEigenvalues: ghost } = found;
  const top = Math.min(topModes, energy.length);
  const told = energy.slice(0, top).reduce((sum, e) => sum + e, 0);
  const ofTargets: Line = {
    label: l10n.t('Label energy'),
    value: l10n.t('{0} in the top {1}', percent(told, 0), top),
    explains: 'label-energy',
    meaning: l10n.t(
      'Share of the targets that lies in the directions the network learns first. Near 100 %: an easy task for this kernel.',
    ),
  };
  return {
    label: l10n.t('Kernel spectrum'),
    value: `${range(eigenvalues)} ${sparkline(eigenvalues, spectrumBars)}`,
    icon: 'graph',
    explains: 'spectrum',
    meaning: l10n.t(
      'Eigenvalues of the neural tangent kernel on {0} inputs, at the start. Large ones are learnt first.',
      found.probe,
    ),
    children: [
      ...(found.data.placeholderData ? [] : [ofTargets]),
      {
        label: l10n.t('Condition number'),
        value: number(found.condition),
        explains: 'condition-number',
        meaning: l10n.t(
          'Largest over smallest eigenvalue above the noise: the slowest direction takes that many times longer than the fastest.',
        ),
      },
      {
        label: l10n.t('Infinite width'),
        value: ghost ? `${range(ghost)} ${sparkline(ghost, spectrumBars)}` : l10n.t('none'),
        explains: 'infinite-width',
        meaning: ghost
          ? l10n.t('The same spectrum for an infinitely wide network of this architecture.')
          : found.limitNote && spoken(found.limitNote),
      },
    ],
  };
}

const stepLine = (found: Inspection): Line => ({
  label: l10n.t('Largest stable step'),
  value: number(found.maxStep),
  icon: 'dashboard',
  explains: 'largest-stable-step',
  meaning: l10n.t('Gradient descent is stable up to 2 n / λ_max of this kernel; above it the loss rises.'),
  children: [
    {
      label: l10n.t('This experiment uses'),
      value: number(found.learningRate),
      explains: 'learning-rate',
      meaning: l10n.t('The step size of this experiment; “auto” is half of the largest stable one.'),
    },
  ],
});

function predictionLine({ predictedLoss: { loss }, stepsTo }: Inspection): Line {
  const steps = (label: string, value: number | null): Line => ({
    label,
    value: value === null ? l10n.t('never') : l10n.t('{0} steps', number(value)),
    explains: 'steps-to',
    meaning: l10n.t(
      'Steps of gradient descent until that much of the loss is left, by the kernel at the start.',
    ),
  });
  const last = loss[loss.length - 1];
  const ends = Number.isFinite(last) && last <= loss[0];
  return {
    label: l10n.t('Predicted loss'),
    value: ends ? `${number(loss[0])} → ${number(last)} ${sparkline(loss, lossBars)}` : l10n.t('diverges'),
    icon: 'clock',
    explains: 'predicted-loss',
    meaning: l10n.t(
      'What the kernel at the start predicts for full-batch gradient descent under squared loss.',
    ),
    children: [
      steps(l10n.t('Half of the loss'), stepsTo.half),
      steps(l10n.t('A tenth'), stepsTo.tenth),
      steps(l10n.t('A hundredth'), stepsTo.hundredth),
    ],
  };
}

const regimeLine = ({ regime }: Inspection): Line => ({
  label: l10n.t('Regime forecast'),
  value: l10n.t(regime.regime),
  icon: 'compass',
  explains: 'regime',
  meaning: regime.reasons.map(spoken).join('\n'),
  children: regime.reasons
    .map(spoken)
    .map((reason) => ({ label: reason, meaning: reason, explains: 'regime' })),
});
