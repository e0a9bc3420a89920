import * as vscode from 'vscode';
import { editField, locateField } from '../../experiment/scan.js';
import type { Sentence } from '../../protocol/sentence.js';
import type { InspectionProblem } from '../../protocol/trainerWire.js';
import { spoken } from '../spoken/spoken.js';
import type { Finding, Inspector } from './inspector.js';
import { layerCalls } from './layers.js';
import { rangeOf, type Scans } from './scans.js';

const severities: Readonly<Record<InspectionProblem['severity'], vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  information: vscode.DiagnosticSeverity.Information,
};

/** A sentence of the trainer in the user's language. */
const say = ({ text, values }: Sentence): string => vscode.l10n.t(text, ...values);

/** The explanation of a problem, as the editor opens it from the code behind the message. */
const explanationOf = (code: string): vscode.Uri =>
  vscode.Uri.parse(`command:kernelscope.explain?${encodeURIComponent(JSON.stringify([code]))}`);

interface Fix {
  readonly title: string;
  readonly value: string;
  readonly range: vscode.Range;
}

/** Theory-backed problems at the line they concern, with quick fixes. */
export class Problems implements vscode.CodeActionProvider, vscode.Disposable {
  static readonly kinds = [vscode.CodeActionKind.QuickFix];
  private readonly collection = vscode.languages.createDiagnosticCollection('kernelscope');
  private readonly byExport = new Map<string, Map<string, vscode.Diagnostic[]>>();
  private readonly fixes = new WeakMap<vscode.Diagnostic, Fix>();
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly scans: Scans,
    inspector: Inspector,
  ) {
    this.subscriptions = [
      inspector.onDidChange((finding) => void this.update(finding)),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        this.byExport.delete(uri.toString());
        this.collection.delete(uri);
      }),
    ];
  }

  /** A failure that a run met, shown like one of the diagnostics. */
  show(
    uri: vscode.Uri,
    exportName: string,
    failure: { message: string; field?: string; line?: number; column?: number },
  ): void {
    const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === uri.toString());
    if (document) void this.update({ uri, version: document.version, exportName, state: 'failed', failure });
  }

  provideCodeActions(
    document: vscode.TextDocument,
    _range: vscode.Range,
    context: vscode.CodeActionContext,
  ): vscode.CodeAction[] {
    const actions: vscode.CodeAction[] = [];
    for (const diagnostic of context.diagnostics) {
      if (diagnostic.source !== 'Kernelscope') continue;
      const fix = this.fixes.get(this.ours(document, diagnostic));
      if (fix) {
        const action = new vscode.CodeAction(fix.title, vscode.CodeActionKind.QuickFix);
        action.edit = new vscode.WorkspaceEdit();
        action.edit.replace(document.uri, fix.range, fix.value);
        action.diagnostics = [diagnostic];
        action.isPreferred = true;
        actions.push(action);
      }
      const code = typeof diagnostic.code === 'object' ? String(diagnostic.code.value) : undefined;
      if (code) {
        const explain = new vscode.CodeAction(
          vscode.l10n.t('What does this mean?'),
          vscode.CodeActionKind.QuickFix,
        );
        explain.command = { command: 'kernelscope.explain', title: explain.title, arguments: [code] };
        explain.diagnostics = [diagnostic];
        actions.push(explain);
      }
    }
    return actions;
  }

  /** The editor hands out copies; ours carries the fix. */
  private ours(document: vscode.TextDocument, copy: vscode.Diagnostic): vscode.Diagnostic {
    const all = [...(this.byExport.get(document.uri.toString())?.values() ?? [])].flat();
    return all.find((d) => d.message === copy.message && d.range.isEqual(copy.range)) ?? copy;
  }

  private async update(finding: Finding): Promise<void> {
    if (finding.state === 'computing') return;
    const document = vscode.workspace.textDocuments.find((d) => d.uri.toString() === finding.uri.toString());
    // An older answer has old places; the newer one is on its way.
    if (!document || document.version !== finding.version) return;
    const diagnostics = finding.failure
      ? [this.failureDiagnostic(document, finding)]
      : (finding.inspection?.problems ?? []).map((p) => this.problemDiagnostic(document, finding, p));
    const key = finding.uri.toString();
    const all = this.byExport.get(key) ?? new Map<string, vscode.Diagnostic[]>();
    this.byExport.set(key, all);
    all.set(finding.exportName, diagnostics);
    // A syntax error or a mistake in the file is the same for every export.
    const seen = new Set<string>();
    const unique = [...all.values()].flat().filter((d) => {
      const id = `${d.range.start.line}:${d.message}`;
      return seen.has(id) ? false : seen.add(id);
    });
    this.collection.set(finding.uri, unique);
  }

  private fieldRange(
    document: vscode.TextDocument,
    exportName: string,
    field: string | undefined,
  ): vscode.Range | null {
    const found = this.scans.of(document).find((e) => e.name === exportName);
    if (!found) return null;
    const place = field ? locateField(document.getText(), found, field) : null;
    if (place)
      return new vscode.Range(document.positionAt(place.keyStart), document.positionAt(place.valueEnd));
    return document.lineAt(document.positionAt(found.start).line).range;
  }

  private failureDiagnostic(
    document: vscode.TextDocument,
    { exportName, failure }: Finding,
  ): vscode.Diagnostic {
    const line = failure?.line;
    const range =
      line !== undefined && line >= 1 && line <= document.lineCount
        ? document.lineAt(line - 1).range
        : (this.fieldRange(document, exportName, failure?.field) ?? document.lineAt(0).range);
    // The place is on screen; the path in front of the sentence is for the command line.
    const text = (failure?.message ?? '').replace(
      `${document.uri.fsPath}`,
      document.uri.fsPath.split(/[\\/]/).pop() ?? '',
    );
    const diagnostic = new vscode.Diagnostic(range, spoken(text), vscode.DiagnosticSeverity.Error);
    diagnostic.source = 'Kernelscope';
    return diagnostic;
  }

  private problemDiagnostic(
    document: vscode.TextDocument,
    { exportName, inspection }: Finding,
    problem: InspectionProblem,
  ): vscode.Diagnostic {
    const found = this.scans.of(document).find((e) => e.name === exportName);
    const call = found && problem.layer && layerCalls(found, inspection).get(problem.layer);
    const range = call
      ? rangeOf(document, call)
      : (this.fieldRange(document, exportName, problem.field) ?? document.lineAt(0).range);
    const diagnostic = new vscode.Diagnostic(range, say(problem.message), severities[problem.severity]);
    diagnostic.source = 'Kernelscope';
    diagnostic.code = { value: problem.code, target: explanationOf(problem.code) };
    const edit =
      found && problem.fix && editField(document.getText(), found, problem.field, problem.fix.value);
    if (problem.fix && edit)
      this.fixes.set(diagnostic, {
        title: say(problem.fix.title),
        value: edit.text,
        range: rangeOf(document, edit),
      });
    return diagnostic;
  }

  dispose(): void {
    for (const s of this.subscriptions) s.dispose();
    this.collection.dispose();
  }
}
