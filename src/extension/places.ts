import path from 'node:path';
import * as vscode from 'vscode';

/** Where things lie: the bundles of the extension and the runs of the workspace. */
export class Places {
  constructor(readonly extension: vscode.Uri) {}

  dist(...parts: string[]): string {
    return path.join(this.extension.fsPath, 'dist', ...parts);
  }

  media(...parts: string[]): vscode.Uri {
    return vscode.Uri.joinPath(this.extension, 'media', ...parts);
  }

  /** Folder of the runs of a model file: that of its workspace folder, else beside the file. */
  runsFolder(file: string): string {
    const folder = vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file));
    return path.join(folder?.uri.fsPath ?? path.dirname(file), '.kernelscope', 'runs');
  }

  runsFolders(): string[] {
    return (vscode.workspace.workspaceFolders ?? [])
      .filter((folder) => folder.uri.scheme === 'file')
      .map((folder) => path.join(folder.uri.fsPath, '.kernelscope', 'runs'));
  }
}

export const modelLanguages: readonly vscode.DocumentFilter[] = [
  { language: 'typescript', scheme: 'file' },
  { language: 'javascript', scheme: 'file' },
];
