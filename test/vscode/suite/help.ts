import path from 'node:path';
import * as vscode from 'vscode';
import type { KernelscopeApi } from '../../../src/extension/extension.js';

export async function api(): Promise<KernelscopeApi> {
  const extension = vscode.extensions.getExtension<KernelscopeApi>('kernelscope.kernelscope');
  if (!extension) throw new Error('The extension is not there.');
  return extension.activate();
}

export const file = (name: string): string => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (!folder) throw new Error('The suite needs its workspace.');
  return path.join(folder, name);
};

export async function open(name: string): Promise<vscode.TextEditor> {
  return vscode.window.showTextDocument(vscode.Uri.file(file(name)));
}

/** Waits until a condition holds; fails with what was waited for. */
export async function until<T>(
  what: string,
  condition: () => T | undefined | false | null,
  milliseconds = 20_000,
): Promise<T> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`Waited ${milliseconds} ms in vain: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const target = (name: string, exportName = 'default') => ({ file: file(name), exportName });

/** Replaces the text of a document through the editor, as typing does. */
export async function type(editor: vscode.TextEditor, from: string, to: string): Promise<void> {
  const { document } = editor;
  const at = document.getText().indexOf(from);
  if (at < 0) throw new Error(`"${from}" is not in ${document.fileName}.`);
  await editor.edit((edit) =>
    edit.replace(new vscode.Range(document.positionAt(at), document.positionAt(at + from.length)), to),
  );
}
