import * as vscode from 'vscode';
import { sparkline } from '../../core/series/index.js';
import type { Inspection } from '../../protocol/trainerWire.js';
import type { Finding, Inspector } from '../editor/inspector.js';
import { number, percent } from '../format.js';
import type { RunManager } from '../runs/runManager.js';

interface Line {
  readonly label: string;
  readonly value?: string;
  readonly icon?: string;
  /** What the number means, in a sentence. */
  readonly meaning?: string;
  readonly children?: readonly Line[];
  readonly command?: vscode.Command;
}

/** The model under the cursor: what theory says before training, and what a run says while it goes on. */
export class DiagnosticsTree implements vscode.TreeDataProvider<Line>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly inspector: Inspector,
    private readonly runs: RunManager,
  ) {
    this.subscriptions = [
      inspector.onDidChange(() => this.soon(0)),
      runs.onDidFrame(() => this.soon(500)),
      runs.onDidChange(() => this.soon(50)),
    ];
  }

  private soon(milliseconds: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.changed.fire(undefined);
    }, milliseconds);
  }

  getTreeItem(line: Line): vscode.TreeItem {
    const { children } = line;
    const state = children ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None;
    const item = new vscode.TreeItem(line.label, state);
    item.description = line.value;
    item.tooltip = line.meaning ?? `${line.label} ${line.value ?? ''}`;
    if (line.icon) item.iconPath = new vscode.ThemeIcon(line.icon);
    item.command = line.command;
    return item;
  }

  getChildren(line?: Line): Line[] {
    if (line) return [...(line.children ?? [])];
    const finding = this.inspector.current;
    return finding ? this.linesOf(finding) : [];
  }

  private linesOf(finding: Finding): Line[] {
    const { l10n } = vscode;
    const name = `${finding.uri.path.split('/').pop()}${finding.exportName === 'default' ? '' : ` · ${finding.exportName}`}`;
    const lines: Line[] = [
      {
        label: name,
        value:
          finding.state === 'computing'
            ? l10n.t('computing…')
            : finding.milliseconds === undefined
              ? undefined
              : l10n.t('{0} ms', Math.round(finding.milliseconds)),
        icon:
          finding.state === 'computing'
            ? 'loading~spin'
            : finding.state === 'failed'
              ? 'error'
              : 'symbol-class',
      },
    ];
    const live = this.liveLines(finding);
    if (live) lines.push(live);
    if (finding.failure)
      lines.push({ label: finding.failure.message, icon: 'error', meaning: finding.failure.message });
    if (finding.inspection) lines.push(...inspectionLines(finding.inspection));
    return lines;
  }

  private liveLines(finding: Finding): Line | null {
    const model = this.runs.activeOf(finding.uri.fsPath, finding.exportName)?.model;
    if (!model) return null;
    const { l10n } = vscode;
    return {
      label: l10n.t('While training'),
      icon: 'sync~spin',
      value: l10n.t('step {0} of {1}', number(model.last('step') || 0), number(model.info.steps)),
      command: { command: 'kernelscope.showRun', title: '', arguments: [model.id] },
      children: [
        { label: l10n.t('Loss'), value: `${sparkline(model.column('loss'))} ${number(model.last('loss'))}` },
        { label: l10n.t('Kernel drift'), value: number(model.last('drift')), meaning: meanings.drift() },
        { label: l10n.t('Movement'), value: number(model.last('movement')), meaning: meanings.movement() },
        {
          label: l10n.t('Regime'),
          value: l10n.t(model.regime?.regime ?? 'undetermined'),
          meaning: model.regime?.reasons.join('\n'),
        },
        {
          label: l10n.t('Cost of the diagnostics'),
          value: percent(model.last('tax') || 0),
          meaning: l10n.t('Share of the run’s time spent on measuring.'),
        },
      ],
    };
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
  }
}

const meanings = {
  drift: () =>
    vscode.l10n.t(
      'How far the kernel is from its start, relative to the start: near zero in lazy training, of order one when features are learnt.',
    ),
  movement: () =>
    vscode.l10n.t('How far the weights are from their start, relative to their size at the start.'),
};

function inspectionLines(found: Inspection): Line[] {
  const { l10n } = vscode;
  const { eigenvalues, energy, stepsTo } = found;
  const steps = (value: number | null) =>
    value === null ? l10n.t('never') : l10n.t('{0} steps', number(value));
  const top = Math.min(10, energy.length);
  let told = 0;
  for (let k = 0; k < top; k++) told += energy[k];
  const ghost = found.limitEigenvalues;
  return [
    {
      label: l10n.t('Parameters'),
      value: found.parameters.toLocaleString(),
      icon: 'symbol-numeric',
      children: found.layers
        .filter((layer) => layer.parameters > 0)
        .map((layer) => ({
          label: layer.name,
          value: `[${layer.outputShape.slice(1).join(', ')}] · ${layer.parameters.toLocaleString()} · ${l10n.t('kernel {0}', percent(layer.kernelShare))}`,
          meaning: l10n.t('Shape of the outputs, number of weights, and share of the trace of the kernel.'),
        })),
    },
    {
      label: l10n.t('Kernel spectrum'),
      value: `${sparkline(eigenvalues, { width: 14, logIndex: true })} ${number(eigenvalues[0])} … ${number(eigenvalues[eigenvalues.length - 1])}`,
      icon: 'graph',
      meaning: l10n.t(
        'Eigenvalues of the neural tangent kernel on {0} inputs, at the start. Large ones are learnt first.',
        found.probe,
      ),
      children: [
        {
          label: l10n.t('Label energy in the top {0} modes', top),
          value: percent(told),
          meaning: l10n.t(
            'Share of the targets that lies in the directions the network learns first. Near 100 %: an easy task for this kernel.',
          ),
        },
        {
          label: l10n.t('Condition number'),
          value: number(found.condition),
          meaning: l10n.t(
            'Largest over smallest eigenvalue above the noise: the slowest direction takes that many times longer than the fastest.',
          ),
        },
        {
          label: l10n.t('Infinite-width kernel'),
          value: ghost ? `${number(ghost[0])} … ${number(ghost[ghost.length - 1])}` : l10n.t('none'),
          meaning: ghost
            ? l10n.t('The same spectrum for an infinitely wide network of this architecture.')
            : found.limitNote,
        },
      ],
    },
    {
      label: l10n.t('Largest stable step'),
      value: number(found.maxStep),
      icon: 'dashboard',
      meaning: l10n.t(
        'Gradient descent is stable up to 2 n / λ_max of this kernel; above it the loss rises.',
      ),
      children: [{ label: l10n.t('This experiment uses'), value: number(found.learningRate) }],
    },
    {
      label: l10n.t('Predicted loss'),
      value: sparkline(found.predictedLoss.loss, { width: 14 }),
      icon: 'clock',
      meaning: l10n.t(
        'What the kernel at the start predicts for full-batch gradient descent under squared loss.',
      ),
      children: [
        { label: l10n.t('Half of the loss'), value: steps(stepsTo.half) },
        { label: l10n.t('A tenth'), value: steps(stepsTo.tenth) },
        { label: l10n.t('A hundredth'), value: steps(stepsTo.hundredth) },
      ],
    },
    {
      label: l10n.t('Regime forecast'),
      value: l10n.t(found.regime.regime),
      icon: 'compass',
      meaning: found.regime.reasons.join('\n'),
      children: found.regime.reasons.map((reason) => ({ label: reason, meaning: reason })),
    },
    {
      label: l10n.t('Backend'),
      value: found.backend.name,
      icon: 'server-process',
      meaning: found.backend.why,
      command: { command: 'kernelscope.doctor', title: '' },
    },
  ];
}
