import path from 'node:path';
import * as vscode from 'vscode';
import { sparkline } from '../../core/series/index.js';
import type { RunStatus } from '../../protocol/records.js';
import { canSteer, doneCells, files } from '../../runs/index.js';
import { number, percent } from '../format.js';
import type { RunManager } from '../runs/runManager.js';
import type { Sweeps } from '../runs/sweeps.js';
import { spoken } from '../spoken/spoken.js';
import {
  type DamagedItem,
  groupRuns,
  liveItem,
  type RunGroup,
  type RunItem,
  type RunNode,
  type SweepNode,
  storedItem,
} from './runNodes.js';

const icons: Readonly<Record<RunStatus, [string, string?]>> = {
  running: ['sync~spin', 'charts.blue'],
  paused: ['debug-pause', 'charts.yellow'],
  finished: ['pass', 'testing.iconPassed'],
  stopped: ['debug-stop', 'descriptionForeground'],
  diverged: ['warning', 'list.warningForeground'],
  failed: ['error', 'list.errorForeground'],
  interrupted: ['debug-disconnect'],
};

const mime = 'application/vnd.code.tree.kernelscope.runs';

/** The runs of the workspace: by model file and sweep, newest first, pinned ones on top; drop one on another to compare. */
export class RunsTree
  implements vscode.TreeDataProvider<RunNode>, vscode.TreeDragAndDropController<RunNode>, vscode.Disposable
{
  readonly dragMimeTypes = [mime];
  readonly dropMimeTypes = [mime];
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];
  private filterText = '';
  private timer: NodeJS.Timeout | null = null;

  constructor(
    private readonly runs: RunManager,
    private readonly sweeps: Sweeps,
    private readonly compare: (ids: readonly string[]) => void,
  ) {
    this.subscriptions = [
      runs.onDidChange(() => this.soon(50)),
      runs.onDidFrame(() => this.soon(1000)),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.soon(0)),
    ];
  }

  get filter(): string {
    return this.filterText;
  }

  set filter(text: string) {
    this.filterText = text;
    void vscode.commands.executeCommand('setContext', 'kernelscope.runsFiltered', text !== '');
    this.soon(0);
  }

  private soon(milliseconds: number): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.changed.fire(undefined);
    }, milliseconds);
  }

  items(): RunItem[] {
    const stored = this.runs.stored();
    const known = new Map(stored.map((run) => [run.info.run, run]));
    const active = this.runs.running.flatMap(({ model }) =>
      model ? [liveItem(model, known.get(model.id))] : [],
    );
    const ids = new Set(active.map((item) => item.id));
    return [...active, ...stored.filter((run) => !ids.has(run.info.run)).map(storedItem)];
  }

  getChildren(node?: RunNode): RunNode[] {
    if (node?.kind === 'group') return [...node.children];
    if (node?.kind === 'sweep') return [...node.runs];
    if (node) return [];
    const wanted = this.filterText.toLowerCase();
    const all = this.items().filter((item) => wanted === '' || textOf(item).includes(wanted));
    // Other processes train these, and send us nothing; not every editor watches files.
    if (this.sweeps.someGoOn || all.some((item) => item.status === 'running' && !item.model)) this.soon(2000);
    const damaged = this.runs.damaged
      .filter(({ folder }) => folder.toLowerCase().includes(wanted))
      .map((run) => ({ kind: 'damaged', ...run }) as const);
    return [...groupRuns(all), ...damaged];
  }

  getTreeItem(node: RunNode): vscode.TreeItem {
    if (node.kind === 'group') return groupItem(node);
    if (node.kind === 'sweep') return this.sweepItem(node);
    if (node.kind === 'damaged') return damagedItem(node);
    return this.runItem(node);
  }

  private sweepItem(node: SweepNode): vscode.TreeItem {
    const { sweep, folder } = node;
    const done = sweep ? doneCells(sweep) : 0;
    const total = sweep?.total ?? node.runs.length;
    const goesOn = this.sweeps.goesOn(folder);
    const fields = sweep?.request.vary.map((text) => text.split('=')[0]).join(' × ') ?? node.name;
    const item = new vscode.TreeItem(
      vscode.l10n.t('Sweep of {0}', fields),
      goesOn || this.filterText !== ''
        ? vscode.TreeItemCollapsibleState.Expanded
        : vscode.TreeItemCollapsibleState.Collapsed,
    );
    item.id = folder;
    item.iconPath = new vscode.ThemeIcon(goesOn ? 'sync~spin' : 'table');
    item.description = vscode.l10n.t('{0} of {1} done', done, total);
    item.tooltip = [node.name, ...(sweep?.request.vary ?? []), folder].join('\n');
    // Without a name of its own a row is read out by its tooltip.
    item.accessibilityInformation = { label: `${item.label}, ${item.description}` };
    item.contextValue = `sweep${goesOn ? '.live' : done < total ? '.resumable' : ''}`;
    return item;
  }

  private runItem(node: RunItem): vscode.TreeItem {
    const item = new vscode.TreeItem(node.name);
    item.id = node.id;
    const [icon, color] = icons[node.status];
    item.iconPath = new vscode.ThemeIcon(
      node.pinned ? 'pinned' : icon,
      color ? new vscode.ThemeColor(color) : undefined,
    );
    const words = resultWords(node);
    const losses = node.model?.column('loss') ?? this.runs.sketch(node.folder);
    item.description = `${sparkline(losses, { width: 8 })} ${words}`.trim();
    item.tooltip = tooltip(node);
    const live =
      node.model !== null || (node.file?.kind === 'watched' && !node.file.ended && canSteer(node.folder));
    const resumable = !live && (node.status === 'interrupted' || node.status === 'stopped');
    item.contextValue = `run.${live ? `live.${node.status}` : 'stored'}${live && node.model === null ? '.watched' : ''}${node.pinned ? '.pinned' : ''}${resumable && !node.file?.sweep ? '.resumable' : ''}`;
    item.command = { command: 'kernelscope.showRun', title: vscode.l10n.t('Show'), arguments: [node.id] };
    item.accessibilityInformation = {
      label: `${node.name}, ${vscode.l10n.t(node.status)}${node.pinned ? `, ${vscode.l10n.t('pinned')}` : ''}, ${words}`,
    };
    return item;
  }

  handleDrag(source: readonly RunNode[], transfer: vscode.DataTransfer): void {
    const ids = source.filter((n): n is RunItem => n.kind === 'run').map((n) => n.id);
    transfer.set(mime, new vscode.DataTransferItem(ids));
  }

  handleDrop(target: RunNode | undefined, transfer: vscode.DataTransfer): void {
    const ids = transfer.get(mime)?.value as readonly string[] | undefined;
    if (!ids || target?.kind !== 'run') return;
    const all = [target.id, ...ids.filter((id) => id !== target.id)];
    if (all.length > 1) this.compare(all);
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
  }
}

/** A run that cannot be read: what is wrong with it is in the tooltip, and a click shows the file. */
function damagedItem({ folder, reason }: DamagedItem): vscode.TreeItem {
  const item = new vscode.TreeItem(path.basename(folder));
  item.id = `damaged:${folder}`;
  item.iconPath = new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground'));
  item.description = vscode.l10n.t('damaged');
  item.tooltip = spoken(reason);
  item.contextValue = 'damaged';
  item.command = {
    command: 'vscode.open',
    title: vscode.l10n.t('Show'),
    arguments: [vscode.Uri.file(path.join(folder, files.run))],
  };
  item.accessibilityInformation = { label: `${item.label}, ${item.description}, ${item.tooltip}` };
  return item;
}

function groupItem(node: RunGroup): vscode.TreeItem {
  const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
  item.id = node.file;
  item.iconPath = new vscode.ThemeIcon('file-code');
  const count = node.children.reduce((n, child) => n + (child.kind === 'sweep' ? child.runs.length : 1), 0);
  item.description = count === 1 ? vscode.l10n.t('1 run') : vscode.l10n.t('{0} runs', count);
  item.tooltip = node.file;
  item.accessibilityInformation = { label: `${node.label}, ${item.description}` };
  item.contextValue = 'group';
  return item;
}

/** What the filter looks at. */
const textOf = ({ name, id, status, file }: RunItem): string =>
  `${name} ${id} ${status} ${vscode.l10n.t(status)} ${file?.ended?.summary?.regime ?? ''} ${file?.sweep ?? ''} ${file?.info.source.file ?? ''}`.toLowerCase();

function resultWords({ model, file, status, startedAt }: RunItem): string {
  if (model)
    return `${vscode.l10n.t('step {0}', number(model.last('step') || 0))} · ${number(model.last('loss'))}`;
  const summary = file?.ended?.summary;
  const time = new Date(startedAt).toLocaleString(vscode.env.language, {
    dateStyle: 'short',
    timeStyle: 'short',
  });
  if (!summary) return `${vscode.l10n.t(status)} · ${time}`;
  const result = summary.accuracy === null ? number(summary.loss.train) : percent(summary.accuracy);
  return `${result} · ${vscode.l10n.t(summary.regime)} · ${time}`;
}

function tooltip({ file, model, folder, name }: RunItem): vscode.MarkdownString {
  const info = file?.info ?? model?.info;
  const summary = file?.ended?.summary;
  const text = new vscode.MarkdownString();
  text.appendMarkdown('**').appendText(name).appendMarkdown('**\n\n');
  if (info)
    text.appendText(
      `${
        info.seed === undefined
          ? vscode.l10n.t('{0} parameters, {1} backend', info.parameters.toLocaleString(), info.backend.name)
          : vscode.l10n.t(
              '{0} parameters, {1} backend, seed {2}',
              info.parameters.toLocaleString(),
              info.backend.name,
              info.seed,
            )
      }\n\n`,
    );
  if (summary)
    text.appendText(
      `${vscode.l10n.t('Loss {0}, kernel drift {1}, {2} s', number(summary.loss.train), number(summary.drift), number(summary.seconds))}\n\n`,
    );
  if (file?.ended?.message) text.appendText(`${spoken(file.ended.message)}\n\n`);
  text.appendText(folder);
  return text;
}
