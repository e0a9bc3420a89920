import * as vscode from 'vscode';
import type { ScannedExport } from '../../experiment/scan.js';
import { number, percent } from '../format.js';
import type { ActiveRun, RunManager } from '../runs/runManager.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';
import { rangeOf, type Scans } from './scans.js';

/** What commands get from a lens: which experiment they are about. */
export interface ExperimentTarget {
  readonly file: string;
  readonly exportName: string;
}

/** Lenses over every experiment and builder: actions, and the live state of a run while there is one. */
export class ExperimentLenses implements vscode.CodeLensProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeCodeLenses = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly scans: Scans,
    private readonly runs: RunManager,
  ) {
    this.subscriptions = [
      runs.onDidChange(() => this.changed.fire()),
      // Live numbers: a few times a second is what can be read.
      runs.onDidFrame(() => {
        this.timer ??= setTimeout(() => {
          this.timer = null;
          this.changed.fire();
        }, 400);
      }),
      vscode.workspace.onDidChangeConfiguration(
        (e) => e.affectsConfiguration('kernelscope.codeLens') && this.changed.fire(),
      ),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.changed.fire()),
    ];
  }

  provideCodeLenses(document: vscode.TextDocument): vscode.CodeLens[] {
    if (!settings.codeLens) return [];
    const exported = this.scans.of(document).flatMap((found) => this.lensesOf(document, found));
    if (!vscode.workspace.isTrusted) return exported;
    return [...exported, ...this.scans.trainings(document).map(({ start }) => watchLens(document, start))];
  }

  private lensesOf(document: vscode.TextDocument, found: ScannedExport): vscode.CodeLens[] {
    const line = rangeOf(document, { start: found.start, end: found.start });
    const target: ExperimentTarget = { file: document.uri.fsPath, exportName: found.name };
    const lens = (title: string, command: string, tooltip: string, ...args: unknown[]) =>
      new vscode.CodeLens(line, { title, command, tooltip, arguments: args.length > 0 ? args : [target] });
    if (!vscode.workspace.isTrusted)
      return [
        lens(
          `$(shield) ${vscode.l10n.t('Trust this workspace to train')}`,
          'workbench.trust.manage',
          vscode.l10n.t('Model files are programs; nothing of them is run before you trust the workspace.'),
        ),
      ];
    const active = this.runs.activeOf(target.file, target.exportName);
    if (active) return this.liveLenses(active, lens);
    const { l10n } = vscode;
    const lenses = [
      lens(
        `$(play) ${found.kind === 'builder' ? l10n.t('Train here') : l10n.t('Train')}`,
        'kernelscope.run',
        l10n.t('Train this experiment and draw its kernel beside the code'),
      ),
      lens(
        `$(graph) ${l10n.t('Inspect kernel')}`,
        'kernelscope.inspect',
        l10n.t('Spectrum, largest stable step and forecast before any training'),
      ),
    ];
    if (found.kind === 'builder') lenses.push(watchLens(document, found.start));
    const ours = found.model !== undefined;
    if (ours)
      lenses.push(
        lens(
          `$(list-ordered) ${l10n.t('Sweep width')}`,
          'kernelscope.sweepWidth',
          l10n.t('Train at several widths and fit the exponents'),
        ),
      );
    if (found.model?.name === 'twoLayer')
      lenses.push(
        lens(
          `$(git-compare) ${l10n.t('Lazy against rich')}`,
          'kernelscope.lazyAgainstRich',
          l10n.t('Train with α = √m and with α = 1 and compare'),
        ),
      );
    const last = this.runs.lastOf(target.file, target.exportName);
    if (last)
      lenses.push(
        lens(
          `$(history) ${l10n.t('Last: {0}', lastWords(last.ended?.summary))}`,
          'kernelscope.showRun',
          l10n.t('Show the last run of this experiment'),
          last.info.run,
        ),
        lens(
          `$(diff) ${l10n.t('Compare with last')}`,
          'kernelscope.compareWithLast',
          l10n.t('Train again and draw both runs in the same charts'),
        ),
      );
    return lenses;
  }

  private liveLenses(
    active: ActiveRun,
    lens: (title: string, command: string, tooltip: string, ...args: unknown[]) => vscode.CodeLens,
  ): vscode.CodeLens[] {
    const { l10n } = vscode;
    const { model } = active;
    if (!model)
      return [
        lens(`$(loading~spin) ${spoken(active.stage)}`, 'kernelscope.showOutput', l10n.t('Show the log')),
        lens(`$(debug-stop) ${l10n.t('Cancel')}`, 'kernelscope.stop', l10n.t('Stop this run')),
      ];
    const paused = model.status === 'paused';
    const state = l10n.t(
      'step {0} of {1} · loss {2} · {3}',
      number(model.last('step') || 0),
      number(model.info.steps),
      number(model.last('loss')),
      l10n.t(model.regime?.regime ?? 'undetermined'),
    );
    return [
      lens(
        `$(${paused ? 'debug-pause' : 'sync~spin'}) ${state}`,
        'kernelscope.showRun',
        l10n.t('Show the dashboard'),
        model.id,
      ),
      paused
        ? lens(
            `$(debug-continue) ${l10n.t('Resume')}`,
            'kernelscope.resume',
            l10n.t('Go on training'),
            model.id,
          )
        : lens(
            `$(debug-pause) ${l10n.t('Pause')}`,
            'kernelscope.pause',
            l10n.t('Hold the run between two steps'),
            model.id,
          ),
      ...(paused
        ? [
            lens(
              `$(debug-step-over) ${l10n.t('Step')}`,
              'kernelscope.step',
              l10n.t('Train one step'),
              model.id,
            ),
          ]
        : []),
      lens(
        `$(debug-stop) ${l10n.t('Stop')}`,
        'kernelscope.stop',
        l10n.t('Stop this run; what was recorded is kept'),
        model.id,
      ),
    ];
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
  }
}

/** Runs the program that trains here, unchanged, and draws what it does. */
const watchLens = (document: vscode.TextDocument, start: number): vscode.CodeLens =>
  new vscode.CodeLens(rangeOf(document, { start, end: start }), {
    title: `$(eye) ${vscode.l10n.t('Watch')}`,
    command: 'kernelscope.watch',
    tooltip: vscode.l10n.t('Run the program as it is, and draw its loss and kernel beside the code'),
    arguments: [{ file: document.uri.fsPath }],
  });

interface Summary {
  readonly loss: { readonly train: number };
  readonly accuracy: number | null;
  readonly regime: string;
}

function lastWords(summary: Summary | undefined): string {
  if (!summary) return vscode.l10n.t('no result');
  const first =
    summary.accuracy === null
      ? `${vscode.l10n.t('loss')} ${number(summary.loss.train)}`
      : percent(summary.accuracy);
  return `${first}, ${vscode.l10n.t(summary.regime)}`;
}
