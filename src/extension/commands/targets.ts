import * as vscode from 'vscode';
import type { ExperimentTarget } from '../editor/codeLens.js';
import type { Scans } from '../editor/scans.js';

const isTarget = (value: unknown): value is ExperimentTarget =>
  typeof value === 'object' && value !== null && 'file' in value && 'exportName' in value;

/**
 * The experiment a command is about: what the lens said, else that under the cursor, else one that the user picks from
 * the model files of the workspace. Undefined when the user left.
 */
export async function chooseTarget(scans: Scans, given: unknown): Promise<ExperimentTarget | undefined> {
  if (isTarget(given)) return given;
  if (given instanceof vscode.Uri) return pickExport(scans, await vscode.workspace.openTextDocument(given));
  const editor = vscode.window.activeTextEditor;
  if (editor && scans.of(editor.document).length > 0) {
    const found = scans.at(editor.document, editor.selection.active);
    if (found) return { file: editor.document.uri.fsPath, exportName: found.name };
  }
  return pickFromWorkspace(scans);
}

/** Data that builders were trained on in this session, by file: they bring none of their own. */
const dataOf = new Map<string, string>();

/** Data for a builder, asked for and remembered; null for an experiment, which brings its own; undefined when the user left. */
export async function dataFor(scans: Scans, target: ExperimentTarget): Promise<string | null | undefined> {
  const document = await vscode.workspace.openTextDocument(target.file);
  const found = scans.of(document).find((e) => e.name === target.exportName);
  if (found?.kind !== 'builder') return null;
  const data = await vscode.window.showInputBox({
    title: vscode.l10n.t('What shall {0} be trained on?', target.exportName),
    prompt: vscode.l10n.t('digits, mnist:0,1?train=512, csv:data.csv?target=label, npz:data.npz …'),
    value: dataOf.get(target.file) ?? 'digits',
  });
  if (!data) return undefined;
  dataOf.set(target.file, data);
  return data;
}

async function pickExport(
  scans: Scans,
  document: vscode.TextDocument,
): Promise<ExperimentTarget | undefined> {
  const all = scans.of(document);
  const file = document.uri.fsPath;
  if (all.length === 0) {
    void vscode.window.showInformationMessage(
      vscode.l10n.t(
        '{0} exports no experiment and no model builder.',
        vscode.workspace.asRelativePath(document.uri),
      ),
    );
    return undefined;
  }
  if (all.length === 1) return { file, exportName: all[0].name };
  const chosen = await vscode.window.showQuickPick(
    all.map((e) => e.name),
    { title: vscode.l10n.t('Which experiment?') },
  );
  return chosen === undefined ? undefined : { file, exportName: chosen };
}

async function pickFromWorkspace(scans: Scans): Promise<ExperimentTarget | undefined> {
  const files = await vscode.workspace.findFiles(
    '**/*.{ts,js,mts,mjs,cts,cjs}',
    '**/{node_modules,dist,out,.git}/**',
    500,
  );
  const items: (vscode.QuickPickItem & { target: ExperimentTarget })[] = [];
  for (const file of files) {
    const text = Buffer.from(await vscode.workspace.fs.readFile(file)).toString('utf8');
    if (!/defineExperiment|createModel|buildModel/.test(text)) continue;
    const document = await vscode.workspace.openTextDocument(file);
    for (const found of scans.of(document))
      items.push({
        label: vscode.workspace.asRelativePath(file),
        description: found.name === 'default' ? undefined : found.name,
        target: { file: file.fsPath, exportName: found.name },
      });
  }
  if (items.length === 0) {
    const create = vscode.l10n.t('New model file');
    const answer = await vscode.window.showInformationMessage(
      vscode.l10n.t('There is no experiment in this workspace yet.'),
      create,
    );
    if (answer === create) await vscode.commands.executeCommand('kernelscope.newModelFile');
    return undefined;
  }
  return (await vscode.window.showQuickPick(items, { title: vscode.l10n.t('Which experiment?') }))?.target;
}
