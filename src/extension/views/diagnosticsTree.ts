import * as vscode from 'vscode';
import type { Failure, Finding, Inspector } from '../editor/inspector.js';
import type { RunManager } from '../runs/runManager.js';
import { spoken } from '../spoken/spoken.js';
import { inspectionLines, type Line, liveLine } from './diagnosticLines.js';

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
    // The same lines come again with new numbers: what was folded stays folded.
    if (children) item.id = line.explains ?? line.label;
    item.description = line.value;
    item.tooltip = line.meaning ?? `${line.label} ${line.value ?? ''}`;
    item.accessibilityInformation = {
      label: [line.label, line.value, line.meaning].filter((part) => part !== undefined).join(', '),
    };
    if (line.icon) item.iconPath = new vscode.ThemeIcon(line.icon);
    if (line.explains) item.contextValue = 'explained';
    item.command = line.command;
    return item;
  }

  getChildren(line?: Line): Line[] {
    if (line) return [...(line.children ?? [])];
    const finding = this.inspector.current;
    return finding ? this.linesOf(finding) : [];
  }

  private linesOf(finding: Finding): Line[] {
    const run = this.runs.activeOf(finding.uri.fsPath, finding.exportName)?.model;
    return [
      headLine(finding),
      ...(run ? [liveLine(run)] : []),
      ...(finding.failure ? [failureLine(finding.uri, finding.failure)] : []),
      ...(finding.inspection ? inspectionLines(finding.inspection) : []),
    ];
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
  }
}

function headLine({ uri, exportName, state, milliseconds, inspection }: Finding): Line {
  const { l10n } = vscode;
  const file = uri.path.split('/').pop() ?? '';
  const icons = { computing: 'loading~spin', failed: 'error', done: 'symbol-class' } as const;
  return {
    label: exportName === 'default' ? file : `${file} · ${exportName}`,
    value:
      state === 'computing'
        ? l10n.t('computing…')
        : inspection?.data.placeholderData
          ? ''
          : inspection?.data.name,
    icon: icons[state],
    meaning:
      milliseconds === undefined
        ? uri.fsPath
        : `${uri.fsPath}\n${l10n.t('Looked at in {0} ms.', Math.round(milliseconds))}`,
    command: { command: 'vscode.open', title: '', arguments: [uri] },
  };
}

function failureLine(uri: vscode.Uri, { message, line }: Failure): Line {
  // The path in front of the sentence is for the command line.
  const [first] = message
    .replace(`${uri.fsPath}: `, '')
    .replace(uri.fsPath, '')
    .replace(/^:/, '')
    .split('\n');
  const at = new vscode.Position(Math.max(0, (line ?? 1) - 1), 0);
  return {
    label: spoken(first),
    icon: 'error',
    meaning: spoken(message),
    command: {
      command: 'vscode.open',
      title: '',
      arguments: [uri, { selection: new vscode.Range(at, at) }],
    },
  };
}
