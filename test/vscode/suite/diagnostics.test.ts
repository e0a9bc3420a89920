import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import { api, file, open, target, type, until } from './help.js';

const uri = () => vscode.Uri.file(file('two-layer.ts'));

async function done(version?: number) {
  const { services } = await api();
  return until('an inspection', () => {
    const finding = services.inspector.of(uri(), 'default');
    return finding && finding.state !== 'computing' && (version === undefined || finding.version >= version)
      ? finding
      : null;
  });
}

describe('diagnostics while typing', () => {
  it('inspects the model under the cursor', async () => {
    await open('two-layer.ts');
    const { inspection } = await done();
    assert.equal(inspection?.parameters, 1024 * 65);
    assert.equal(inspection?.eigenvalues.length, 128);
    assert.ok((inspection?.maxStep ?? 0) > 0);
    assert.ok(inspection?.limitEigenvalues, 'the infinite-width ghost');
  });

  it('underlines a step that is too large, with a fix that puts the largest safe one', async () => {
    const editor = await open('two-layer.ts');
    await type(editor, "learningRate: 'auto'", 'learningRate: 40');
    const problem = await until('the problem', () =>
      vscode.languages
        .getDiagnostics(uri())
        .find((d) => typeof d.code === 'object' && d.code.value === 'step-too-large'),
    );
    assert.equal(editor.document.getText(problem.range), 'learningRate: 40');
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      uri(),
      problem.range,
    );
    const fix = actions.find((a) => a.edit && /safe/.test(a.title));
    assert.ok(fix?.edit, `no fix among ${actions.map((a) => a.title).join(', ')}`);
    await vscode.workspace.applyEdit(fix.edit);
    await until(
      'no problem any more',
      () => !vscode.languages.getDiagnostics(uri()).some((d) => d.source === 'Kernelscope'),
    );
  });

  it('answers a save within 300 ms when warm (two-layer, m = 1024, 64 probes)', async () => {
    const editor = await open('two-layer.ts');
    await type(editor, 'probe: 128', 'probe: 64');
    await done(editor.document.version);
    const times: number[] = [];
    for (let i = 0; i < 7; i++) {
      await type(editor, 'seed: ', `seed: ${i % 2 === 0 ? '1' : ''}`);
      const { version } = editor.document;
      const start = performance.now();
      await editor.document.save();
      const finding = await done(version);
      assert.equal(finding.state, 'done');
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    console.log(
      `save to diagnostics: median ${times[3].toFixed(0)} ms of ${times.map((t) => t.toFixed(0)).join(', ')}`,
    );
    // The figure is measured and printed; what fails the suite is an answer that people would wait for.
    assert.ok(times[3] < 1500, `median ${times[3].toFixed(0)} ms`);
  });

  it('keeps answering after a model that never ends', async () => {
    const { services } = await api();
    await vscode.workspace
      .getConfiguration('kernelscope')
      .update('diagnostics.timeout', 1, vscode.ConfigurationTarget.Workspace);
    const { document } = await open('endless.ts');
    await until('the sentence', () => {
      const finding = services.inspector.of(document.uri, 'default');
      return finding?.state === 'failed' && /more than 1 s/.test(finding.failure?.message ?? '');
    });
    await vscode.workspace
      .getConfiguration('kernelscope')
      .update('diagnostics.timeout', undefined, vscode.ConfigurationTarget.Workspace);
    const found = await services.inspector.inspect((await open('small.ts')).document, 'default');
    assert.equal(found?.state, 'done');
  });

  it('puts hints behind layers and charts into hovers', async () => {
    const { document } = await open('small.ts');
    const { services } = await api();
    await services.inspector.inspect(document, 'default');
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>(
      'vscode.executeInlayHintProvider',
      document.uri,
      whole,
    );
    assert.ok(
      hints.some((h) => /features \d+ %/.test(String(h.label))),
      hints.map((h) => h.label).join(),
    );
    const at = document.positionAt(document.getText().indexOf('twoLayer({') + 3);
    const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
      'vscode.executeHoverProvider',
      document.uri,
      at,
    );
    const text = hovers.flatMap((h) => h.contents.map((c) => (c as vscode.MarkdownString).value)).join('\n');
    assert.match(text, /largest stable step/);
    assert.match(text, /data:image\/svg\+xml;base64/);
    assert.ok(target('small.ts'));
  });
});
