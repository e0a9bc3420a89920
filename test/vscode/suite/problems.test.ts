import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { api, file, open, until } from './help.js';

interface Case {
  readonly title: string;
  /** Fields of the experiment, as they are written. */
  readonly fields: string;
  readonly code: string;
  readonly severity?: vscode.DiagnosticSeverity;
  /** What is underlined. */
  readonly at: string | RegExp;
  /** What stands there once the fix is taken; null where there is none. */
  readonly fixed: RegExp | null;
}

const digits = 'data: digits({ digits: [3, 8], train: 128, test: 32 }), probe: 48, seed: 1';
const lazy = "expect: 'lazy', steps: 50";

const cases: readonly Case[] = [
  {
    title: 'a step above 2 n / λ_max',
    fields: `model: twoLayer({ width: 256 }), ${digits}, optimizer: sgd({ learningRate: 40 }), steps: 50`,
    code: 'step-too-large',
    at: 'learningRate: 40',
    fixed: /learningRate: [\d.]+ \}\)/,
  },
  {
    title: 'a step that does not fit width and scale',
    fields: `model: twoLayer({ width: 512, scale: 'mean-field' }), ${digits}, optimizer: sgd({ learningRate: 0.001 }), steps: 20`,
    code: 'step-scale',
    severity: vscode.DiagnosticSeverity.Information,
    at: 'learningRate: 0.001',
    fixed: /learningRate: 'auto'/,
  },
  {
    title: 'a scale at which nothing is lazy',
    // Measured too: the run ends rich.
    fields: `model: twoLayer({ width: 512, scale: 'mean-field' }), ${digits.replace('48', '96')}, expect: 'lazy', steps: 500`,
    code: 'regime-mismatch',
    at: "scale: 'mean-field'",
    fixed: /scale: 'ntk'/,
  },
  {
    title: 'a width that is too small to be lazy, named so',
    fields: `name: 'A lazy one', model: twoLayer({ width: 4 }), ${digits}, steps: 50`,
    code: 'regime-mismatch',
    at: 'width: 4',
    fixed: /width: \d{2,} /,
  },
  {
    title: 'a scale at which nothing is rich',
    fields: `expect: 'rich', model: twoLayer({ width: 256, scale: 500 }), ${digits}, steps: 50`,
    code: 'regime-mismatch',
    at: 'scale: 500',
    fixed: /scale: 'mean-field'/,
  },
  {
    title: 'a start that is not at zero where laziness is meant',
    fields: `model: mlp({ hidden: [2048] }), ${digits}, ${lazy}`,
    code: 'unsymmetrised-start',
    at: /^model: mlp/,
    fixed: /mlp\(\{ init: 'symmetric', hidden/,
  },
  {
    title: 'saturated units',
    fields: `model: twoLayer({ width: 64, thetaStart: 'unit' }), data: teacher({ dimension: 8, inputScale: 10, train: 64, test: 8 }), probe: 48, steps: 20`,
    code: 'saturated-units',
    severity: vscode.DiagnosticSeverity.Information,
    at: "thetaStart: 'unit'",
    fixed: /thetaStart: 'inverse-dimension'/,
  },
  {
    title: 'dead units, at the line of their layer',
    fields: `model: (tf: any) => tf.sequential({ layers: [tf.layers.dense({ inputShape: [64], units: 24, activation: 'relu', biasInitializer: tf.initializers.constant({ value: -40 }) }), tf.layers.dense({ units: 1 })] }), ${digits}, steps: 20`,
    code: 'dead-units',
    at: /^layers\.dense\(\{ inputShape/,
    fixed: null,
  },
  {
    title: 'equal inputs with different targets',
    fields: `model: twoLayer({ width: 64 }), data: csv({ path: 'clash.csv', target: 'y', task: 'regression' }), probe: 4, steps: 20`,
    code: 'degenerate-kernel',
    at: /^data: csv/,
    fixed: null,
  },
  {
    title: 'noise that nothing holds',
    fields: `model: twoLayer({ width: 64 }), ${digits}, noise: { temperature: 0.1 }, steps: 20`,
    code: 'noise-without-l2',
    at: 'noise: { temperature: 0.1 }',
    fixed: null,
  },
];

let count = 0;

/** A new model file with an experiment, opened; resolves once it has been inspected. */
async function inspected(fields: string) {
  const name = `problem-${++count}.ts`;
  writeFileSync(
    file(name),
    `import { adam, csv, defineExperiment, digits, mlp, sgd, teacher, twoLayer } from 'kernelscope';\n\nexport default defineExperiment({ ${fields} });\n`,
  );
  const editor = await open(name);
  await settled(editor.document);
  return editor.document;
}

async function settled(document: vscode.TextDocument) {
  const { services } = await api();
  return until(`an inspection of ${document.fileName}`, () => {
    const finding = services.inspector.of(document.uri, 'default');
    return finding && finding.state !== 'computing' && finding.version === document.version ? finding : null;
  });
}

const codeOf = ({ code }: vscode.Diagnostic) => (typeof code === 'object' ? code.value : code);

const ours = (document: vscode.TextDocument) =>
  vscode.languages.getDiagnostics(document.uri).filter((d) => d.source === 'Kernelscope');

const actionsAt = (document: vscode.TextDocument, range: vscode.Range) =>
  vscode.commands.executeCommand<vscode.CodeAction[]>(
    'vscode.executeCodeActionProvider',
    document.uri,
    range,
    vscode.CodeActionKind.QuickFix.value,
  );

describe('problems of theory', () => {
  before(() => writeFileSync(file('clash.csv'), 'a,b,y\n1,2,0\n1,2,1\n3,4,0\n5,6,1\n7,8,0\n2,2,1\n'));

  for (const { title, fields, code, severity, at, fixed } of cases)
    it(`underlines ${title}${fixed ? ', and mends it' : ''}`, async () => {
      const document = await inspected(fields);
      const problem = ours(document).find((d) => codeOf(d) === code);
      assert.ok(problem, `no ${code} among ${ours(document).map((d) => d.message)}`);
      const text = document.getText(problem.range);
      if (typeof at === 'string') assert.equal(text, at);
      else assert.match(text, at);
      assert.equal(problem.severity, severity ?? vscode.DiagnosticSeverity.Warning);
      assert.ok(typeof problem.code === 'object' && 'target' in problem.code);
      assert.equal(problem.code.target.scheme, 'command');
      const actions = await actionsAt(document, problem.range);
      assert.ok(actions.some((a) => a.command?.command === 'kernelscope.explain'));
      const fix = actions.find((a) => a.edit);
      assert.doesNotMatch(problem.message, /_Dense\d/);
      if (!fixed) {
        assert.equal(fix, undefined);
        return;
      }
      assert.ok(fix?.edit, `no fix among ${actions.map((a) => a.title)}`);
      await vscode.workspace.applyEdit(fix.edit);
      assert.match(document.getText(), fixed);
      const after = await settled(document);
      assert.equal(after.state, 'done', after.failure?.message);
      assert.ok(!after.inspection?.problems.some((p) => p.code === code), 'the fix mends the problem');
      await document.save();
    });

  it('says nothing of the step of minibatch runs and of Adam', async () => {
    for (const optimizer of ['sgd({ learningRate: 40 }), batch: 16', 'adam({ learningRate: 40 })']) {
      const document = await inspected(
        `model: twoLayer({ width: 64 }), ${digits}, optimizer: ${optimizer}, steps: 20`,
      );
      assert.deepEqual(ours(document).map(codeOf), []);
    }
  });

  it('says nothing where nothing is wrong', async () => {
    for (const name of ['two-layer.ts', 'importing.ts']) {
      const { document } = await open(name);
      await settled(document);
      assert.deepEqual(
        ours(document).map((d) => d.message),
        [],
      );
    }
  });

  it('names field, value and what is allowed at the place of a mistake', async () => {
    const document = await inspected(`model: twoLayer({ width: 64, activation: 'tanhh' }), ${digits}`);
    const [problem] = ours(document);
    assert.equal(document.getText(problem.range), "activation: 'tanhh'");
    assert.match(problem.message, /model\.activation is "tanhh"; it must be one of .*'tanh'/);
    assert.equal(problem.severity, vscode.DiagnosticSeverity.Error);
  });

  it('opens the explanation', async () => {
    await vscode.commands.executeCommand('kernelscope.explain', 'regime-mismatch');
    await until('the page', () =>
      vscode.window.tabGroups.all.flatMap((g) => g.tabs).some((t) => /problems\.md/.test(t.label)),
    );
    await vscode.commands.executeCommand('workbench.action.closeActiveEditor');
  });
});

describe('plain TensorFlow.js builders', () => {
  it('have hints at the lines of their layers before they have any data', async () => {
    const { document } = await open('tanh2.ts');
    const { services } = await api();
    const found = services.scans.of(document)[0];
    const finding = await services.inspector.inspect(document, found.name);
    assert.equal(finding?.state, 'done', finding?.failure?.message);
    assert.equal(finding.inspection?.data.placeholderData, true);
    const hints = await vscode.commands.executeCommand<vscode.InlayHint[]>(
      'vscode.executeInlayHintProvider',
      document.uri,
      new vscode.Range(0, 0, document.lineCount, 0),
    );
    const dense = found.layers.filter((l) => l.name === 'dense');
    assert.equal(hints.length, dense.length);
    for (const [i, hint] of hints.entries()) {
      assert.ok(hint.position.isEqual(document.positionAt(dense[i].end)));
      assert.match(String(hint.label), /^kernel \d+ %/);
    }
    assert.deepEqual(ours(document), []);
  });

  it('show nothing when hints, lenses and hovers are switched off', async () => {
    const { document } = await open('tanh2.ts');
    const whole = new vscode.Range(0, 0, document.lineCount, 0);
    const ask = async () => ({
      hints: (
        await vscode.commands.executeCommand<unknown[]>(
          'vscode.executeInlayHintProvider',
          document.uri,
          whole,
        )
      ).length,
      lenses: (
        await vscode.commands.executeCommand<unknown[]>('vscode.executeCodeLensProvider', document.uri)
      ).length,
    });
    const before = await ask();
    assert.ok(before.hints > 0 && before.lenses > 0);
    const settings = vscode.workspace.getConfiguration('kernelscope');
    const set = (on: boolean | undefined) =>
      Promise.all(
        ['inlayHints.enabled', 'codeLens.enabled', 'hovers.enabled'].map((name) =>
          settings.update(name, on, vscode.ConfigurationTarget.Global),
        ),
      );
    await set(false);
    try {
      assert.deepEqual(await ask(), { hints: 0, lenses: 0 });
    } finally {
      await set(undefined);
    }
  });
});
