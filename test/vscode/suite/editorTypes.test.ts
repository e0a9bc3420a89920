import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { api, file, open, until } from './help.js';

/** Codes of what TypeScript says of a file. */
const codes = (uri: vscode.Uri): unknown[] =>
  vscode.languages
    .getDiagnostics(uri)
    .filter(({ source }) => source === 'ts')
    .map(({ code }) => (typeof code === 'object' ? code.value : code));

/** The hover at the last place of a word, once TypeScript is ready to show one. */
async function hover({ document }: vscode.TextEditor, word: string): Promise<string> {
  const at = document.positionAt(document.getText().lastIndexOf(word) + 1);
  const end = Date.now() + 60_000;
  for (;;) {
    const found = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      at,
    );
    const text = found
      .flatMap(({ contents }) => contents.map((c) => (typeof c === 'string' ? c : c.value)))
      .join('\n');
    if (text.includes(`${word}:`) || text.includes(`${word}(`) || Date.now() > end) return text;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

describe('types in a workspace that has installed nothing', () => {
  const misspelt = file('misspelt.ts');
  after(() => rmSync(misspelt, { force: true }));

  it('are found by the editor, and nothing is written', async () => {
    await api();
    const editor = await open('small.ts');
    assert.match(await hover(editor, 'twoLayer'), /TwoLayerModel/);
    // That TypeScript has looked at this one shows in what it does say.
    writeFileSync(
      misspelt,
      `import type * as tf from '@tensorflow/tfjs';
import { twoLayer } from 'kernelscope';
export const model = twoLayer({ width: 4, widht: 4 });
export type Model = tf.LayersModel;
`,
    );
    const { document } = await open('misspelt.ts');
    await until('TypeScript finds the misspelt field', () => codes(document.uri).length > 0, 60_000);
    assert.deepEqual(codes(document.uri), [2561]);
    assert.deepEqual(codes(editor.document.uri), []);
    for (const name of ['node_modules', 'tsconfig.json', '.kernelscope/types'])
      assert.ok(!existsSync(file(name)), name);
  });

  it('include those of TensorFlow.js', async () => {
    const editor = await open('tanh2.ts');
    assert.match(await hover(editor, 'dense'), /DenseLayerArgs/);
    assert.deepEqual(codes(editor.document.uri), []);
  });

  it('are written for the command line by command', async () => {
    const extension = vscode.extensions.getExtension('kernelscope.kernelscope');
    assert.ok(extension);
    const check = file('tsconfig.check.json');
    try {
      await vscode.commands.executeCommand('kernelscope.addTypes', vscode.Uri.file(file('small.ts')));
      writeFileSync(
        check,
        JSON.stringify({ extends: './tsconfig.json', files: ['small.ts', 'tanh2.ts', 'misspelt.ts'] }),
      );
      const tsc = path.join(extension.extensionPath, 'node_modules', 'typescript', 'bin', 'tsc');
      const { stdout } = spawnSync(process.execPath, [tsc, '-p', check], {
        encoding: 'utf8',
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
      });
      assert.deepEqual(stdout.match(/error TS\d+/g), ['error TS2561']);
    } finally {
      for (const name of ['tsconfig.json', 'tsconfig.check.json', '.kernelscope/types'])
        rmSync(file(name), { recursive: true, force: true });
    }
  });
});
