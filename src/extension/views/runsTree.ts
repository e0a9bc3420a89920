import path from 'node:path';
import * as vscode from 'vscode';
import { sparkline } from '../../core/series/index.js';
import type { RunStatus } from '../../protocol/records.js';
import type { RunFile } from '../../runs/index.js';
import { number, percent } from '../format.js';
import type { RunModel } from '../runs/liveRun.js';
import type { RunManager } from '../runs/runManager.js';

export interface RunGroup {
  readonly kind: 'group';
  readonly label: string;
  readonly file: string;
  readonly runs: readonly RunItem[];
}
export interface RunItem {
  readonly kind: 'run';
  readonly id: string;
  readonly folder: string;
  readonly name: string;
  readonly status: RunStatus;
  readonly pinned: boolean;
  readonly startedAt: string;
  readonly file: RunFile | null;
  readonly model: RunModel | null;
}
type Node = RunGroup | RunItem;

const icons: Readonly<Record<RunStatus, [string, string?]>> = {
  running: ['sync~spin', 'charts.blue'],
  paused: ['debug-pause', 'charts.yellow'],
  finished: ['pass', 'testing.iconPassed'],
  stopped: ['debug-stop'],
  diverged: ['warning', 'list.warningForeground'],
  failed: ['error', 'list.errorForeground'],
  interrupted: ['debug-disconnect'],
};

const mime = 'application/vnd.code.tree.kernelscope.runs';

/** The runs of the workspace: by model file (and sweep), newest first, pinned ones on top; drop one on another to compare. */
export class RunsTree
  implements vscode.TreeDataProvider<Node>, vscode.TreeDragAndDropController<Node>, vscode.Disposable
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
    const active = this.runs.running.flatMap(({ model }) => (model ? [itemOf(model)] : []));
    const ids = new Set(active.map((item) => item.id));
    const stored = this.runs.stored().filter((run) => !ids.has(run.info.run));
    return [...active, ...stored.map((run) => storedItem(run))];
  }

  getChildren(node?: Node): Node[] {
    if (node) return node.kind === 'group' ? [...node.runs] : [];
    const wanted = this.filterText.toLowerCase();
    const all = this.items().filter(
      (item) =>
        wanted === '' ||
        `${item.name} ${item.id} ${item.status} ${item.file?.ended?.summary?.regime ?? ''}`
          .toLowerCase()
          .includes(wanted),
    );
    const groups = new Map<string, RunItem[]>();
    for (const item of all) {
      const file = (item.file?.info ?? item.model?.info)?.source.file ?? '';
      const key = item.file?.sweep ? `${file} · ${item.file.sweep}` : file;
      groups.set(key, [...(groups.get(key) ?? []), item]);
    }
    return [...groups].map(([key, runs]) => ({
      kind: 'group' as const,
      label: path.basename(key),
      file: key.split(' · ')[0],
      runs: runs.sort(
        (a, b) => Number(b.pinned) - Number(a.pinned) || b.startedAt.localeCompare(a.startedAt),
      ),
    }));
  }

  getTreeItem(node: Node): vscode.TreeItem {
    if (node.kind === 'group') {
      const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
      item.iconPath = new vscode.ThemeIcon('file-code');
      item.description = vscode.l10n.t('{0} runs', node.runs.length);
      item.tooltip = node.file;
      item.contextValue = 'group';
      return item;
    }
    const item = new vscode.TreeItem(node.name);
    item.id = node.id;
    const [icon, color] = icons[node.status];
    item.iconPath = new vscode.ThemeIcon(
      node.pinned ? 'pinned' : icon,
      color ? new vscode.ThemeColor(color) : undefined,
    );
    item.description = describe(node);
    item.tooltip = tooltip(node);
    const live = node.status === 'running' || node.status === 'paused';
    item.contextValue = `run.${live ? 'live' : 'stored'}${node.pinned ? '.pinned' : ''}${node.status === 'interrupted' || node.status === 'stopped' ? '.resumable' : ''}`;
    item.command = { command: 'kernelscope.showRun', title: vscode.l10n.t('Show'), arguments: [node.id] };
    item.accessibilityInformation = {
      label: `${node.name}, ${vscode.l10n.t(node.status)}, ${item.description}`,
    };
    return item;
  }

  handleDrag(source: readonly Node[], transfer: vscode.DataTransfer): void {
    const ids = source.filter((n): n is RunItem => n.kind === 'run').map((n) => n.id);
    transfer.set(mime, new vscode.DataTransferItem(ids));
  }

  handleDrop(target: Node | undefined, transfer: vscode.DataTransfer): void {
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

const itemOf = (model: RunModel): RunItem => ({
  kind: 'run',
  id: model.id,
  folder: model.info.folder,
  name: model.name,
  status: model.status,
  pinned: false,
  startedAt: model.info.startedAt,
  file: null,
  model,
});

const storedItem = (file: RunFile): RunItem => ({
  kind: 'run',
  id: file.info.run,
  folder: file.info.folder,
  name: file.label ?? file.info.name,
  status: file.status,
  pinned: file.pinned ?? false,
  startedAt: file.info.startedAt,
  file,
  model: null,
});

function describe({ model, file, status, startedAt }: RunItem): string {
  if (model)
    return `${sparkline(model.column('loss'))} ${vscode.l10n.t('step {0}', number(model.last('step') || 0))} · ${number(model.last('loss'))}`;
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
  text.appendMarkdown(`**${name}**\n\n`);
  if (info)
    text.appendMarkdown(
      `${vscode.l10n.t('{0} parameters, {1} backend, seed {2}', info.parameters.toLocaleString(), info.backend.name, info.seed)}\n\n`,
    );
  if (summary)
    text.appendMarkdown(
      `${vscode.l10n.t('Loss {0}, kernel drift {1}, {2} s', number(summary.loss.train), number(summary.drift), number(summary.seconds))}\n\n`,
    );
  if (file?.ended?.message) text.appendText(`${file.ended.message}\n\n`);
  text.appendText(folder);
  return text;
}
