import * as vscode from 'vscode';
import type { ScannedExport } from '../../experiment/scan.js';
import type { Inspection } from '../../protocol/trainerWire.js';
import { number, percent } from '../format.js';
import type { RunModel } from '../runs/liveRun.js';
import type { RunManager } from '../runs/runManager.js';
import { settings } from '../settings.js';
import { barChart, type Line, lineChart, markdownImage } from '../svg.js';
import type { Inspector } from './inspector.js';
import { type InspectedLayer, layerCalls } from './layers.js';
import { rangeOf, type Scans } from './scans.js';

/** Hovers over a model, a layer, or the head of an experiment: what theory says, and the loss of the last run. */
export class ModelHovers implements vscode.HoverProvider {
  constructor(
    private readonly scans: Scans,
    private readonly inspector: Inspector,
    private readonly runs: RunManager,
  ) {}

  provideHover(document: vscode.TextDocument, position: vscode.Position): vscode.Hover | null {
    if (!settings.hovers) return null;
    const offset = document.offsetAt(position);
    const holds = (p: { start: number; end: number }) => p.start <= offset && offset <= p.end;
    for (const found of this.scans.of(document)) {
      const line = document.lineAt(document.positionAt(found.start).line);
      const head = { start: found.start, end: document.offsetAt(line.range.end) };
      const call = found.layers.find(holds);
      const place = call ?? [found.model, head].find((p) => p && holds(p));
      if (!place) continue;
      const { inspection } = this.inspector.of(document.uri, found.name) ?? {};
      const layer = call && layerOf(found, inspection, call.start);
      const text = layer ? layerText(layer) : this.modelText(inspection, document.uri.fsPath, found.name);
      return text ? new vscode.Hover(text, rangeOf(document, place)) : null;
    }
    return null;
  }

  private modelText(
    inspection: Inspection | undefined,
    file: string,
    exportName: string,
  ): vscode.MarkdownString | null {
    const last = this.runs.lastOf(file, exportName);
    const run = last && this.loaded(last.info.run);
    if (!inspection && !run) return null;
    const text = new vscode.MarkdownString(undefined, true);
    if (inspection) text.appendMarkdown(`${spectrumText(inspection)}\n\n`);
    const lines = [...(run ? [lossOf(run)] : []), ...(inspection ? predictedOf(inspection) : [])];
    if (lines.length > 0) text.appendMarkdown(lossText(lines, run, inspection));
    return text;
  }

  private loaded(id: string): RunModel | null {
    try {
      return this.runs.model(id);
    } catch {
      return null;
    }
  }
}

/** The layer that the call at an offset made. */
const layerOf = (
  found: ScannedExport,
  inspection: Inspection | undefined,
  start: number,
): InspectedLayer | undefined =>
  inspection?.layers.find((layer) => layerCalls(found, inspection).get(layer.name)?.start === start);

function layerText(layer: InspectedLayer): vscode.MarkdownString {
  const { l10n } = vscode;
  const rows = [
    l10n.t('outputs [{0}], {1} parameters', layer.outputShape.slice(1).join(', '), layer.parameters),
    ...(layer.parameters > 0
      ? [l10n.t('{0} of the trace of the neural tangent kernel', percent(layer.kernelShare))]
      : []),
    ...(layer.deadUnits === null
      ? []
      : [l10n.t('{0} of the units are never active', percent(layer.deadUnits))]),
    ...(layer.saturatedUnits === null
      ? []
      : [l10n.t('{0} of the units are saturated', percent(layer.saturatedUnits))]),
  ];
  return new vscode.MarkdownString(`**${layer.label}**\n\n${rows.map((row) => `- ${row}`).join('\n')}`);
}

function spectrumText(found: Inspection): string {
  const { l10n } = vscode;
  const { eigenvalues } = found;
  const shown = Array.from(eigenvalues);
  const label = l10n.t(
    'Kernel at the start: eigenvalues {0} … {1}',
    number(eigenvalues[0]),
    number(eigenvalues[eigenvalues.length - 1]),
  );
  const facts = [
    l10n.t('condition number {0}', number(found.condition)),
    ...(found.data.placeholderData
      ? [l10n.t('on normal inputs')]
      : [
          l10n.t('largest stable step {0}', number(found.maxStep)),
          l10n.t('forecast: {0}', l10n.t(found.regime.regime)),
        ]),
  ];
  return `**${label}**\n\n${markdownImage(barChart(shown), label)}\n\n${facts.join(' · ')}`;
}

const lossOf = (run: RunModel): Line => ({ x: run.column('step'), y: run.column('loss') });

const predictedOf = ({ data, predictedLoss }: Inspection): Line[] =>
  data.placeholderData ? [] : [{ x: predictedLoss.step, y: predictedLoss.loss, dashed: true }];

function lossText(
  lines: readonly Line[],
  run: RunModel | null | undefined,
  inspection: Inspection | undefined,
): string {
  const { l10n } = vscode;
  const label = !run
    ? l10n.t('Predicted loss')
    : inspection && !inspection.data.placeholderData
      ? l10n.t('Loss of the last run, and predicted (dashed)')
      : l10n.t('Loss of the last run');
  const ended = run?.ended?.summary;
  const facts = ended ? `\n\n${l10n.t('loss {0}, {1}', number(ended.loss.train), l10n.t(ended.regime))}` : '';
  return `**${label}**\n\n${markdownImage(lineChart(lines), label)}${facts}`;
}
