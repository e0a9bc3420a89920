import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';

/** Where things lie: the bundles of the extension and the runs of the workspace. */
export class Places {
  private readonly nested = new Set<string>();

  constructor(
    readonly extension: vscode.Uri,
    /** Folder for what the extension keeps of this workspace beside the runs: pages of claims and experiments. */
    readonly storage: string,
  ) {}

  dist(...parts: string[]): string {
    return path.join(this.extension.fsPath, 'dist', ...parts);
  }

  /** Declarations of TensorFlow.js, which come with the plugin of TypeScript's server. */
  tensorflowTypes(): string {
    return path.join(this.extension.fsPath, 'node_modules', 'kernelscope-tsserver', 'tensorflow');
  }

  media(...parts: string[]): vscode.Uri {
    return vscode.Uri.joinPath(this.extension, 'media', ...parts);
  }

  /** Folder of the runs of a model file: that of its workspace folder, else beside the file. */
  runsFolder(file: string): string {
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file));
    return path.join(folder?.uri.fsPath ?? path.dirname(file), '.kernelscope', 'runs');
  }

  /** Folder of the runs of a workspace folder. */
  runsFolderOf(folder: string): string {
    return path.join(folder, '.kernelscope', 'runs');
  }

  /** A run folder below a workspace folder, such as in a package of a monorepo: its runs are listed too. */
  addRun(runFile: string): void {
    const runs = path.dirname(path.dirname(runFile));
    if (path.basename(runs) === 'runs') this.nested.add(runs);
  }

  /** Folders of the sweeps of every workspace folder, the oldest first. */
  sweepFolders(): string[] {
    return this.ownFolders().flatMap((own) => {
      const sweeps = path.join(own, 'sweeps');
      const names = existsSync(sweeps) ? readdirSync(sweeps).sort() : [];
      return names.map((name) => path.join(sweeps, name));
    });
  }

  private ownFolders(): string[] {
    return (vscode.workspace.workspaceFolders ?? [])
      .filter((folder) => folder.uri.scheme === 'file')
      .map((folder) => path.join(folder.uri.fsPath, '.kernelscope'));
  }

  /** Folders with runs: those of every workspace folder and of its sweeps. The first is where imports go. */
  runsFolders(): string[] {
    const own = this.ownFolders().map((folder) => path.join(folder, 'runs'));
    return [...new Set([...own, ...this.nested]), ...this.sweepFolders()];
  }
}

export const modelLanguages: readonly vscode.DocumentFilter[] = [
  { language: 'typescript', scheme: 'file' },
  { language: 'javascript', scheme: 'file' },
];
