import * as vscode from 'vscode';
import type { ScannedExport } from '../../experiment/scan.js';
import type { Inspection } from '../../protocol/trainerWire.js';
import { type TrainerClient, TrainerError } from '../../trainer/client.js';
import type { Places } from '../places.js';
import { newTrainer } from '../runs/runManager.js';
import { settings } from '../settings.js';
import type { Scans } from './scans.js';

export interface Failure {
  readonly message: string;
  readonly field?: string;
  readonly line?: number;
  readonly column?: number;
}

/** What is known of the model under the cursor. */
export interface Finding {
  readonly uri: vscode.Uri;
  readonly version: number;
  readonly exportName: string;
  readonly state: 'computing' | 'done' | 'failed';
  readonly inspection?: Inspection;
  readonly failure?: Failure;
  /** Milliseconds from the request to the answer. */
  readonly milliseconds?: number;
}

/** A computation that a newer one waits for at most this long before its trainer is replaced. */
const patience = 3000;

/**
 * Diagnostics of the model under the cursor on a pause or a save, in one warm trainer: at most one computation at a time,
 * the newest wins, and a model file that never ends is ended.
 */
export class Inspector implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<Finding>();
  readonly onDidChange = this.changed.event;
  private readonly subscriptions: vscode.Disposable[];
  private client: TrainerClient | null = null;
  private starting: Promise<TrainerClient> | null = null;
  private timer: NodeJS.Timeout | null = null;
  private busy: { readonly since: number; readonly key: string } | null = null;
  private wanted: (() => Promise<void>) | null = null;
  private readonly findings = new Map<string, Finding>();
  private currentKey: string | null = null;

  constructor(
    private readonly scans: Scans,
    private readonly places: Places,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.soon(document, settings.diagnosticsDelay);
      }),
      vscode.workspace.onDidSaveTextDocument((document) => this.soon(document, 0)),
      vscode.window.onDidChangeActiveTextEditor((editor) => editor && this.soon(editor.document, 100)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.follow(textEditor)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.active()),
    ];
    this.active();
  }

  /** The finding that the side panel shows: that of the model under the cursor. */
  get current(): Finding | undefined {
    return this.currentKey === null ? undefined : this.findings.get(this.currentKey);
  }

  of(uri: vscode.Uri, exportName: string): Finding | undefined {
    return this.findings.get(keyOf(uri, exportName));
  }

  /** Computes now, whatever the settings say; for the command. */
  async inspect(document: vscode.TextDocument, exportName: string): Promise<Finding | undefined> {
    const found = this.scans.of(document).find((e) => e.name === exportName);
    if (!found || !vscode.workspace.isTrusted) return undefined;
    this.currentKey = keyOf(document.uri, exportName);
    await this.compute(document, found);
    return this.of(document.uri, exportName);
  }

  private active(): void {
    const editor = vscode.window.activeTextEditor;
    if (editor) this.soon(editor.document, 300);
  }

  /** The cursor went to another experiment of the file. */
  private follow(editor: vscode.TextEditor): void {
    if (!this.serves(editor.document)) return;
    const found = this.scans.at(editor.document, editor.selection.active);
    if (!found) return;
    const key = keyOf(editor.document.uri, found.name);
    if (key === this.currentKey) return;
    this.currentKey = key;
    const known = this.findings.get(key);
    if (known && known.version === editor.document.version) this.changed.fire(known);
    else this.soon(editor.document, settings.diagnosticsDelay);
  }

  private serves(document: vscode.TextDocument): boolean {
    return document.uri.scheme === 'file' && /^(type|java)script/.test(document.languageId);
  }

  private soon(document: vscode.TextDocument, delay: number): void {
    if (!this.serves(document) || !vscode.workspace.isTrusted || !settings.diagnosticsWhileTyping) return;
    const editor = vscode.window.visibleTextEditors.find((e) => e.document === document);
    if (!editor) return;
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      const found = this.scans.at(document, editor.selection.active);
      // Builders have no data to be inspected on.
      if (found?.kind !== 'experiment') return;
      this.currentKey = keyOf(document.uri, found.name);
      const known = this.findings.get(this.currentKey);
      if (known?.version === document.version && known.state !== 'computing') return;
      void this.compute(document, found);
    }, delay);
  }

  private async compute(document: vscode.TextDocument, found: ScannedExport): Promise<void> {
    const key = keyOf(document.uri, found.name);
    const version = document.version;
    const base = { uri: document.uri, version, exportName: found.name };
    const before = this.findings.get(key);
    const job = async () => {
      const start = performance.now();
      this.busy = { since: start, key };
      // The last known numbers stay on screen while new ones are computed.
      this.put(key, { ...base, state: 'computing', inspection: before?.inspection });
      let timer: NodeJS.Timeout | undefined;
      try {
        const client = await this.trainer();
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => {
            this.replaceTrainer();
            reject(
              new TrainerError(
                vscode.l10n.t(
                  'This model took more than {0} s to inspect and was stopped. A loop without an end, or a very large model; the setting kernelscope.diagnostics.timeout allows more.',
                  settings.diagnosticsTimeout / 1000,
                ),
              ),
            );
          }, settings.diagnosticsTimeout);
        });
        const inspection = await Promise.race([
          client.inspect({
            file: document.uri.fsPath,
            text: document.getText(),
            exportName: found.name,
            overrides: {},
            backend: settings.backend,
            nativePath: settings.nativePath,
          }),
          late,
        ]);
        this.put(key, { ...base, state: 'done', inspection, milliseconds: performance.now() - start });
      } catch (error) {
        if (this.wanted && !(error instanceof TrainerError && error.place.field)) return;
        const place = error instanceof TrainerError ? error.place : {};
        this.put(key, { ...base, state: 'failed', failure: { message: (error as Error).message, ...place } });
      } finally {
        if (timer) clearTimeout(timer);
        this.busy = null;
        const next = this.wanted;
        this.wanted = null;
        if (next) await next();
      }
    };
    if (!this.busy) {
      await job();
      return;
    }
    // The newest wins: it takes the place of whatever waits, and does not wait for ever.
    this.wanted = job;
    const since = this.busy.since;
    setTimeout(() => {
      if (this.wanted === job && this.busy?.since === since) this.replaceTrainer();
    }, patience);
  }

  private put(key: string, finding: Finding): void {
    this.findings.set(key, finding);
    this.changed.fire(finding);
  }

  private trainer(): Promise<TrainerClient> {
    if (this.client?.running) return Promise.resolve(this.client);
    this.starting ??= (async () => {
      const client = newTrainer(this.places);
      try {
        await client.start();
        this.client = client;
        return client;
      } finally {
        this.starting = null;
      }
    })();
    return this.starting;
  }

  private replaceTrainer(): void {
    this.log.info('The trainer of the diagnostics is replaced: it was busy for too long.');
    this.client?.dispose();
    this.client?.kill();
    this.client = null;
  }

  dispose(): void {
    if (this.timer) clearTimeout(this.timer);
    for (const s of this.subscriptions) s.dispose();
    this.client?.dispose();
    this.changed.dispose();
  }
}

const keyOf = (uri: vscode.Uri, exportName: string): string => `${uri.toString()}#${exportName}`;
