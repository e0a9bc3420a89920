import * as vscode from 'vscode';
import { number, percent } from '../format.js';
import type { RunManager } from '../runs/runManager.js';
import { settings } from '../settings.js';
import { barChart, lineChart } from '../svg.js';
import type { Finding, Inspector } from './inspector.js';
import { rangeOf, type Scans } from './scans.js';

/** Layers with weights, in order, with the calls in the text that made them. */
function weighted(finding: Finding): NonNullable<Finding['inspection']>['layers'] {
  return finding.inspection?.layers.filter((layer) => layer.parameters > 0) ?? [];
}

/** Calls that make no layer with weights are passed over, by name. */
const weightless =
  /^(activation|flatten|dropout|reshape|.*Pooling.*|input|add|concatenate|multiply|permute|zeroPadding.*|upSampling.*)$/;

/** Share of the kernel and relative movement of the last run, behind the line of every layer. */
export class LayerHints implements vscode.InlayHintsProvider, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChangeInlayHints = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];

  constructor(
    private readonly scans: Scans,
    private readonly inspector: Inspector,
    private readonly runs: RunManager,
  ) {
    this.subscriptions = [
      inspector.onDidChange(() => this.changed.fire()),
      runs.onDidChange(() => this.changed.fire()),
    ];
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    if (!settings.inlayHints) return [];
    return this.scans.of(document).flatMap((found) => {
      const finding = this.inspector.of(document.uri, found.name);
      const last = this.runs.lastOf(document.uri.fsPath, found.name)?.ended?.summary?.movement ?? {};
      const layers = finding ? weighted(finding) : [];
      if (layers.length === 0) return [];
      const calls = found.layers.filter((call) => !weightless.test(call.name));
      if (calls.length === layers.length)
        return calls.flatMap((call, i) => {
          const at = document.positionAt(call.end);
          if (!range.contains(at)) return [];
          const moved = Object.values(last).length === layers.length ? Object.values(last)[i] : undefined;
          return [hint(at, layers[i].kernelShare, moved)];
        });
      if (!found.model) return [];
      const at = document.positionAt(found.model.end);
      const text = layers.map((l) => `${l.name} ${percent(l.kernelShare, 0)}`).join(' · ');
      const moved = layers
        .map((l) => (last[l.name] === undefined ? null : `${l.name} ${number(last[l.name])}`))
        .filter(Boolean);
      const label = ` ${vscode.l10n.t('kernel: {0}', text)}${moved.length > 0 ? ` · ${vscode.l10n.t('moved: {0}', moved.join(', '))}` : ''}`;
      const item = new vscode.InlayHint(at, label);
      item.paddingLeft = true;
      item.tooltip = vscode.l10n.t(
        'Share of each layer in the trace of the neural tangent kernel, and how far its weights moved in the last run, relative to their start.',
      );
      return range.contains(at) ? [item] : [];
    });
  }

  dispose(): void {
    for (const s of this.subscriptions) s.dispose();
    this.changed.dispose();
  }
}

function hint(at: vscode.Position, share: number, moved: number | undefined): vscode.InlayHint {
  const label =
    vscode.l10n.t('kernel {0}', percent(share, 0)) +
    (moved === undefined ? '' : ` · ${vscode.l10n.t('moved {0}', number(moved))}`);
  const item = new vscode.InlayHint(at, label);
  item.paddingLeft = true;
  item.tooltip = vscode.l10n.t(
    'Share of this layer in the trace of the neural tangent kernel, and how far its weights moved in the last run, relative to their start.',
  );
  return item;
}

/** A hover over the model: its numbers, the spectrum, and the loss of the last run as small charts. */
export class ModelHovers implements vscode.HoverProvider {
  constructor(
    private readonly scans: Scans,
    private readonly inspector: Inspector,
    private readonly runs: RunManager,
  ) {}

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | null {
    if (!settings.hovers) return null;
    const offset = document.offsetAt(position);
    for (const found of this.scans.of(document)) {
      const head = {
        start: found.start,
        end: document.offsetAt(document.lineAt(document.positionAt(found.start).line).range.end),
      };
      const place = [found.model, ...found.layers, head].find(
        (p) => p && p.start <= offset && offset <= p.end,
      );
      if (!place) continue;
      const text = this.text(document, found.name);
      return text ? new vscode.Hover(text, rangeOf(document, place)) : null;
    }
    return null;
  }

  private text(document: vscode.TextDocument, exportName: string): vscode.MarkdownString | null {
    const { l10n } = vscode;
    const text = new vscode.MarkdownString(undefined, true);
    text.supportHtml = true;
    const { inspection } = this.inspector.of(document.uri, exportName) ?? {};
    if (inspection) {
      text.appendMarkdown(
        `**${l10n.t('Before training')}** — ${l10n.t('{0} parameters, condition number {1}, largest stable step {2}', inspection.parameters.toLocaleString(), number(inspection.condition), number(inspection.maxStep))}\n\n`,
      );
      const values = Array.from(inspection.eigenvalues).filter((v) => v > 0);
      text.appendMarkdown(
        `${image(barChart(values, { log: true, label: l10n.t('Eigenvalues of the kernel') }))}\n\n`,
      );
      text.appendMarkdown(
        `${l10n.t('Forecast: {0}', l10n.t(inspection.regime.regime))}. ${inspection.regime.reasons[0] ?? ''}\n\n`,
      );
    }
    const last = this.runs.lastOf(document.uri.fsPath, exportName);
    const model = last && this.loaded(last.info.run);
    if (last?.ended?.summary) {
      const { loss, regime } = last.ended.summary;
      text.appendMarkdown(
        `**${l10n.t('Last run')}** — ${l10n.t('loss {0}, {1}', number(loss.train), l10n.t(regime))}\n\n`,
      );
      if (model)
        text.appendMarkdown(
          `${image(lineChart(Array.from(model.column('loss')), { log: true, label: l10n.t('Training loss') }))}\n`,
        );
    }
    return text.value === '' ? null : text;
  }

  private loaded(id: string): ReturnType<RunManager['model']> {
    try {
      return this.runs.model(id);
    } catch {
      return null;
    }
  }
}

const image = (svg: string): string =>
  `![](data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')})`;
