import * as vscode from 'vscode';
import { number, percent } from '../format.js';
import type { RunManager } from '../runs/runManager.js';
import { settings } from '../settings.js';
import type { Inspector } from './inspector.js';
import { layerCalls, weightedLayers } from './layers.js';
import type { Scans } from './scans.js';

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
      vscode.workspace.onDidChangeConfiguration(
        (e) => e.affectsConfiguration('kernelscope.inlayHints') && this.changed.fire(),
      ),
    ];
  }

  provideInlayHints(document: vscode.TextDocument, range: vscode.Range): vscode.InlayHint[] {
    if (!settings.inlayHints) return [];
    return this.scans.of(document).flatMap((found) => {
      const { inspection } = this.inspector.of(document.uri, found.name) ?? {};
      const layers = weightedLayers(inspection);
      if (layers.length === 0) return [];
      const last = this.runs.lastOf(document.uri.fsPath, found.name)?.ended?.summary?.movement ?? {};
      const calls = layerCalls(found, inspection);
      if (calls.size > 0)
        return layers.flatMap((layer, i) => {
          const call = calls.get(layer.name);
          const at = call && document.positionAt(call.end);
          // Names that TensorFlow.js gives by itself count up from run to run; the order stays.
          const moved =
            last[layer.name] ??
            (Object.keys(last).length === layers.length ? Object.values(last)[i] : undefined);
          return at && range.contains(at) ? [hint(at, layer.kernelShare, moved)] : [];
        });
      if (!found.model) return [];
      const at = document.positionAt(found.model.end);
      const text = layers.map((l) => `${l.label} ${percent(l.kernelShare, 0)}`).join(' · ');
      const moved = layers
        .map((l) => (last[l.name] === undefined ? null : `${l.label} ${number(last[l.name])}`))
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
