import * as vscode from 'vscode';
import { checkViewMessage } from '../../protocol/validate.js';
import type { FromView, ToView } from '../../protocol/viewWire.js';
import type { Places } from '../places.js';
import type { RunModel } from '../runs/liveRun.js';
import type { RunManager } from '../runs/runManager.js';
import { spoken } from '../spoken/spoken.js';
import { helloMessage, RunFeed } from './feed.js';
import { dashboardHtml } from './page.js';

const viewType = 'kernelscope.dashboard';

type PanelCommand = Extract<FromView, { type: 'command' }>['name'];

/** Dashboard panels beside the code: which runs each shows, restored after a reload of the window. */
export class Dashboards implements vscode.Disposable, vscode.WebviewPanelSerializer {
  private readonly panels = new Set<DashboardPanel>();
  private readonly subscriptions: vscode.Disposable[] = [];

  constructor(
    private readonly places: Places,
    private readonly runs: RunManager,
    private readonly log: vscode.LogOutputChannel,
    private readonly command: (name: PanelCommand, run: string) => void,
  ) {
    this.subscriptions.push(
      vscode.window.registerWebviewPanelSerializer(viewType, this),
      runs.onDidFrame(({ run, frame }) => {
        for (const panel of this.panels) panel.feeds.get(run.id)?.push(frame);
      }),
      runs.onDidChange((run) => {
        if (run) for (const panel of this.panels) panel.changed(run);
      }),
    );
  }

  /** Shows runs: in a panel that already shows exactly them, in the last used one, or in a new one beside the code. */
  show(ids: readonly string[]): void {
    const same = [...this.panels].find((p) => p.ids.join() === ids.join());
    const free =
      same ?? [...this.panels].find((p) => p.panel.active || p.panel.visible) ?? [...this.panels][0];
    if (free) {
      if (!same) free.setRuns(ids);
      free.panel.reveal(undefined, true);
      return;
    }
    this.create().setRuns(ids);
  }

  /**
   * Opens a panel for a run that is about to start, where none is open: the page loads while the trainer does. What is
   * returned closes it again when the run did not start.
   */
  prepare(): () => void {
    if (this.panels.size > 0) return () => undefined;
    const panel = this.create();
    return () => {
      if (panel.waiting) panel.panel.dispose();
    };
  }

  private create(): DashboardPanel {
    const panel = vscode.window.createWebviewPanel(
      viewType,
      'Kernelscope',
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      this.options(),
    );
    return this.adopt(panel);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    panel.webview.options = this.options();
    const runs = (state as { runs?: unknown } | null)?.runs;
    this.adopt(panel).setRuns(
      Array.isArray(runs) ? runs.filter((id): id is string => typeof id === 'string') : [],
    );
  }

  /** For tests: what the open panels show. */
  get shown(): readonly (readonly string[])[] {
    return [...this.panels].map((p) => p.ids);
  }

  private options(): vscode.WebviewOptions & vscode.WebviewPanelOptions {
    return { enableScripts: true, localResourceRoots: [vscode.Uri.file(this.places.dist('webview'))] };
  }

  private adopt(panel: vscode.WebviewPanel): DashboardPanel {
    const dashboard = new DashboardPanel(panel, this.places, this.runs, this.log, this.command);
    this.panels.add(dashboard);
    panel.onDidDispose(() => this.panels.delete(dashboard));
    return dashboard;
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    for (const { panel } of this.panels) panel.dispose();
  }
}

class DashboardPanel {
  readonly feeds = new Map<string, RunFeed>();
  private ready = false;
  private expectsRuns = true;

  constructor(
    readonly panel: vscode.WebviewPanel,
    places: Places,
    private readonly runs: RunManager,
    private readonly log: vscode.LogOutputChannel,
    private readonly command: (name: PanelCommand, run: string) => void,
  ) {
    panel.iconPath = places.media('icon.svg');
    panel.webview.onDidReceiveMessage((value: unknown) => this.receive(value));
    panel.onDidChangeViewState(() => {
      if (panel.visible && this.ready) for (const feed of this.feeds.values()) feed.appeared();
    });
    panel.webview.html = dashboardHtml(panel.webview, places);
  }

  get ids(): readonly string[] {
    return [...this.feeds.keys()];
  }

  /** Whether the panel has not been told yet which runs it shows; its page stays empty until then. */
  get waiting(): boolean {
    return this.expectsRuns;
  }

  setRuns(ids: readonly string[]): void {
    if (this.expectsRuns) {
      this.expectsRuns = false;
      this.greet();
    }
    // The page draws runs in the order they came: the first one is the reference.
    const shown = this.ids.filter((id) => ids.includes(id));
    const inPlace = shown.every((id, i) => id === ids[i]);
    for (const id of this.ids) if (!inPlace || !ids.includes(id)) this.post({ type: 'remove', run: id });
    const kept = new Map(inPlace ? this.feeds : []);
    this.feeds.clear();
    for (const id of ids) {
      const known = kept.get(id);
      const model = known?.run ?? this.load(id);
      if (!model) continue;
      const feed = known ?? this.feed(model);
      this.feeds.set(id, feed);
      if (!known) feed.show();
    }
    this.entitle();
  }

  /** A run has a new status or a new name. */
  changed(run: RunModel): void {
    const feed = this.feeds.get(run.id);
    if (!feed) return;
    if (feed.run === run) feed.status();
    else {
      // The run goes on in another trainer, or was read again.
      const fresh = this.feed(run);
      this.feeds.set(run.id, fresh);
      fresh.show();
    }
    this.entitle();
  }

  private feed(model: RunModel): RunFeed {
    return new RunFeed(
      model,
      (message) => this.post(message),
      () => this.ready && this.panel.visible,
    );
  }

  private entitle(): void {
    const names = [...this.feeds.values()].map((feed) => feed.run.name);
    this.panel.title = names.length > 0 ? names.join(vscode.l10n.t(' and ')) : 'Kernelscope';
  }

  private load(id: string): ReturnType<RunManager['model']> {
    try {
      const model = this.runs.model(id);
      if (!model)
        this.post({ type: 'failure', text: vscode.l10n.t('The run {0} is not there any more.', id) });
      return model;
    } catch (error) {
      this.post({ type: 'failure', text: spoken(error instanceof Error ? error.message : String(error)) });
      return null;
    }
  }

  private greet(): void {
    if (!this.expectsRuns) this.post(helloMessage(translations(), false));
  }

  private post(message: ToView): void {
    // What is sent before the page listens is sent again when it says that it is ready.
    if (this.ready) void this.panel.webview.postMessage(message);
  }

  private receive(value: unknown): void {
    const message = checkViewMessage(value);
    if (typeof message === 'string') {
      this.log.error(message);
      return;
    }
    switch (message.type) {
      case 'ready':
        this.ready = true;
        this.greet();
        for (const feed of this.feeds.values()) feed.show();
        return;
      case 'ack':
        this.feeds.get(message.run)?.acknowledge();
        return;
      case 'command':
        this.command(message.name, message.run);
        return;
      case 'hide':
        this.setRuns(this.ids.filter((id) => id !== message.run));
        return;
      case 'export':
        void saveFile(message.name, new Uint8Array(message.data));
        return;
      case 'copy':
        void vscode.env.clipboard.writeText(message.text);
        return;
      case 'problem':
        this.log.error(`Dashboard: ${message.text}`);
    }
  }
}

/** The translated sentences of the pages: they share the bundle with the host. */
function translations(): Readonly<Record<string, string>> {
  return vscode.l10n.bundle ?? {};
}

/** Asks where to put a file that a panel made. */
export async function saveFile(name: string, bytes: Uint8Array): Promise<vscode.Uri | undefined> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const target = await vscode.window.showSaveDialog({
    defaultUri: folder ? vscode.Uri.joinPath(folder, name) : vscode.Uri.file(name),
  });
  if (target) await vscode.workspace.fs.writeFile(target, bytes);
  return target;
}
