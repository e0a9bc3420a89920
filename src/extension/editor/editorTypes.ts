import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Places } from '../places.js';

/** Whether TypeScript finds a package by itself: it is installed somewhere above. */
function installed(folder: string, name: string): boolean {
  for (let at = folder; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, 'node_modules', name, 'package.json'))) return true;
    if (at === path.dirname(at)) return false;
  }
}

/**
 * Types of 'kernelscope' as files, for whom the plugin of TypeScript's server (src/tsserver) does not reach: TypeScript on
 * the command line, version 7, other editors. Copied into .kernelscope (git-ignored), with those of TensorFlow.js where
 * that is not installed, and named in a tsconfig.json, which is made when there is none. Existing configurations are only
 * changed when they are plain JSON; else the user is told the line to add.
 */
export async function giveTypes(places: Places, folder: string): Promise<void> {
  if (installed(folder, 'kernelscope')) return;
  const place = path.join(folder, '.kernelscope', 'types');
  mkdirSync(place, { recursive: true });
  const ignore = path.join(folder, '.kernelscope', '.gitignore');
  if (!existsSync(ignore)) writeFileSync(ignore, '*\n');
  const paths: Record<string, string[]> = { kernelscope: ['./.kernelscope/types/index.d.ts'] };
  copyFileSync(places.dist('editor', 'kernelscope.d.ts'), path.join(place, 'index.d.ts'));
  if (!installed(folder, '@tensorflow/tfjs')) {
    cpSync(places.tensorflowTypes(), path.join(place, 'tensorflow'), { recursive: true });
    paths['@tensorflow/tfjs'] = ['./.kernelscope/types/tensorflow/index.d.ts'];
  }
  const known = ['tsconfig.json', 'jsconfig.json'].map((name) => path.join(folder, name)).find(existsSync);
  if (!known) {
    const config = {
      compilerOptions: {
        target: 'ES2022',
        module: 'ESNext',
        moduleResolution: 'Bundler',
        strict: true,
        noEmit: true,
        skipLibCheck: true,
        paths,
      },
    };
    writeFileSync(path.join(folder, 'tsconfig.json'), `${JSON.stringify(config, null, 2)}\n`);
    return;
  }
  try {
    const config = JSON.parse(readFileSync(known, 'utf8')) as {
      compilerOptions?: { paths?: Record<string, string[]> };
    };
    config.compilerOptions = {
      ...config.compilerOptions,
      paths: { ...config.compilerOptions?.paths, ...paths },
    };
    writeFileSync(known, `${JSON.stringify(config, null, 2)}\n`);
  } catch {
    const line = `"paths": ${JSON.stringify(paths)}`;
    const copy = vscode.l10n.t('Copy');
    const answer = await vscode.window.showInformationMessage(
      vscode.l10n.t('Add this to compilerOptions of {0}: {1}', path.basename(known), line),
      copy,
    );
    if (answer === copy) await vscode.env.clipboard.writeText(line);
  }
}

/** A quick fix on "Cannot find module 'kernelscope'". */
export class TypesFix implements vscode.CodeActionProvider {
  static readonly kinds = [vscode.CodeActionKind.QuickFix];

  provideCodeActions(
    document: vscode.TextDocument,
    _range: vscode.Range,
    { diagnostics }: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    const missing = diagnostics.filter(
      (d) => String(codeOf(d)) === '2307' && d.message.includes("'kernelscope'"),
    );
    if (missing.length === 0) return [];
    const action = new vscode.CodeAction(
      vscode.l10n.t('Give the editor the types of kernelscope'),
      vscode.CodeActionKind.QuickFix,
    );
    action.command = { command: 'kernelscope.addTypes', title: action.title, arguments: [document.uri] };
    action.diagnostics = missing;
    action.isPreferred = true;
    return [action];
  }
}

const codeOf = ({ code }: vscode.Diagnostic): string | number | undefined =>
  typeof code === 'object' ? code.value : code;
