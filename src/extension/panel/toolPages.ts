import { existsSync, readFileSync, type StatWatcher, unwatchFile, watchFile } from 'node:fs';
import * as vscode from 'vscode';
import type { Places } from '../places.js';
import { spokenPage } from '../spoken/spoken.js';

/** The page's own light and dark follow the editor's theme, not the system's. */
const themed = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"><style>
:root:has(body.vscode-dark), :root:has(body.vscode-high-contrast) { color-scheme: dark; }
:root:has(body.vscode-light), :root:has(body.vscode-high-contrast-light) { color-scheme: light; }
:root { color: var(--vscode-foreground); background: var(--vscode-editor-background); }
body { color: inherit; background: none; }
</style>`;

/** Pages that our tools write: figures and tables without scripts, shown beside the code and drawn again when they change. */
export class ToolPages implements vscode.Disposable {
  private readonly panels = new Map<string, { panel: vscode.WebviewPanel; watcher: StatWatcher }>();

  constructor(private readonly places: Places) {}

  /** Shows a page, now or as soon as it is written; a page that is open already comes to the front. */
  show(title: string, file: string): void {
    const open = this.panels.get(file);
    if (open) {
      draw(open.panel, file);
      open.panel.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      'kernelscope.page',
      title,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      {},
    );
    panel.iconPath = this.places.media('icon.svg');
    const redraw = () => draw(panel, file);
    // Pages are replaced by a rename, which watchers of a single file lose sight of.
    const watcher = watchFile(file, { interval: 500 }, redraw);
    this.panels.set(file, { panel, watcher });
    panel.onDidDispose(() => {
      unwatchFile(file, redraw);
      this.panels.delete(file);
    });
    redraw();
  }

  dispose(): void {
    for (const { panel } of [...this.panels.values()]) panel.dispose();
  }
}

function draw(panel: vscode.WebviewPanel, file: string): void {
  if (!existsSync(file)) return;
  panel.webview.html = spokenPage(readFileSync(file, 'utf8')).replace('<head>', `<head>${themed}`);
}
