import * as vscode from 'vscode';
import type { ScannedExport } from '../../experiment/scan.js';
import type { Inspection, InspectRequest } from '../../protocol/trainerWire.js';
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
const timeout = 3000;

/** A trainer that nobody has asked anything for this long is ended; the next question starts another. */
const idle = 10 * 60_000;

/** Files that a model file may read: when one is saved, the model is looked at again. */
const readByModels = /\.([cm]?[jt]sx?|json|csv)$/;

/** One look at one version of a model. */
interface Job {
  readonly key: string;
  readonly version: number;
  /** Resolves when it is over, or when a newer one took its place. */
  readonly done: Promise<void>;
}

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
  private busy: Job | null = null;
  private wanted: (Job & { readonly run: () => void; readonly skip: () => void }) | null = null;
  private ending: NodeJS.Timeout | null = null;
  private readonly findings = new Map<string, Finding>();
  private currentKey: string | null = null;

  constructor(
    private readonly scans: Scans,
    private readonly places: Places,
    private readonly log: vscode.LogOutputChannel,
    /** What a builder was last trained on, as text; undefined when it never was. */
    private readonly dataOf: (file: string, exportName: string) => string | undefined,
  ) {
    this.subscriptions = [
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0) this.soon(document, settings.diagnosticsDelay);
      }),
      vscode.workspace.onDidSaveTextDocument((document) => this.saved(document)),
      vscode.window.onDidChangeActiveTextEditor((editor) => editor && this.soon(editor.document, 100)),
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.follow(textEditor)),
      vscode.workspace.onDidGrantWorkspaceTrust(() => this.active()),
      vscode.workspace.onDidChangeConfiguration((e) => {
        if (
          e.affectsConfiguration('kernelscope.diagnostics') ||
          e.affectsConfiguration('kernelscope.backend')
        )
          this.active();
      }),
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

  /** A model is looked at when it is saved, and when something is saved that it may import or read. */
  private saved(document: vscode.TextDocument): void {
    if (this.serves(document) && this.scans.of(document).length > 0) {
      this.soon(document, 0);
      return;
    }
    const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
    const shown = vscode.window.visibleTextEditors.find(
      (e) => e.document.uri.toString() === this.current?.uri.toString(),
    );
    const model = shown ?? editor;
    if (model && model.document !== document && readByModels.test(document.uri.path))
      this.soon(model.document, 0, true);
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

  private soon(document: vscode.TextDocument, delay: number, again = false): void {
    if (!this.serves(document) || !vscode.workspace.isTrusted || !settings.diagnosticsWhileTyping) return;
    const editor = vscode.window.visibleTextEditors.find((e) => e.document === document);
    if (!editor) return;
    if (this.timer) clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      const found = this.scans.at(document, editor.selection.active);
      if (!found) return;
      this.currentKey = keyOf(document.uri, found.name);
      const known = this.findings.get(this.currentKey);
      if (!again && known?.version === document.version && known.state !== 'computing') return;
      void this.compute(document, found, again);
    }, delay);
  }

  /** Resolves once the model was looked at, or a newer wish took the place of this one. */
  private compute(document: vscode.TextDocument, found: ScannedExport, again = false): Promise<void> {
    const wish = { key: keyOf(document.uri, found.name), version: document.version };
    const same = this.wanted ?? this.busy;
    if (!again && same?.key === wish.key && same.version === wish.version) return same.done;
    let over = () => {};
    const done = new Promise<void>((resolve) => {
      over = resolve;
    });
    const run = () => {
      this.busy = { ...wish, done };
      void this.work(document, found).then(over);
    };
    if (!this.busy) {
      run();
      return done;
    }
    // The newest wins: it takes the place of whatever waits, and does not wait for ever.
    this.wanted?.skip();
    this.client?.cancelInspections();
    const { busy } = this;
    const wanted = { ...wish, done, run, skip: over };
    this.wanted = wanted;
    setTimeout(() => {
      if (this.wanted === wanted && this.busy === busy) this.replaceTrainer();
    }, timeout);
    return done;
  }

  private async work(document: vscode.TextDocument, found: ScannedExport): Promise<void> {
    const key = keyOf(document.uri, found.name);
    const base = { uri: document.uri, version: document.version, exportName: found.name };
    const start = performance.now();
    // The last known numbers stay on screen while new ones are computed.
    this.put(key, { ...base, state: 'computing', inspection: this.findings.get(key)?.inspection });
    try {
      const inspection = await this.ask(document, found);
      this.put(key, { ...base, state: 'done', inspection, milliseconds: performance.now() - start });
    } catch (error) {
      // What was cut short by a newer wish says nothing about the model.
      if (this.wanted && !(error instanceof TrainerError && error.place.field)) return;
      const place = error instanceof TrainerError ? error.place : {};
      this.put(key, { ...base, state: 'failed', failure: { message: (error as Error).message, ...place } });
    } finally {
      this.busy = null;
      const next = this.wanted;
      this.wanted = null;
      next?.run();
    }
  }

  private async ask(document: vscode.TextDocument, found: ScannedExport): Promise<Inspection> {
    const file = document.uri.fsPath;
    const data = found.kind === 'builder' ? this.dataOf(file, found.name) : undefined;
    const request: InspectRequest = {
      file,
      text: document.getText(),
      exportName: found.name,
      overrides: {},
      backend: settings.backend,
      nativePath: settings.nativePath,
      data,
      placeholderData: found.kind === 'builder' && data === undefined,
    };
    const client = await this.trainer();
    let timer: NodeJS.Timeout | undefined;
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
    try {
      return await Promise.race([client.inspect(request), late]);
    } finally {
      clearTimeout(timer);
      this.restLater();
    }
  }

  private restLater(): void {
    if (this.ending) clearTimeout(this.ending);
    this.ending = setTimeout(() => {
      this.ending = null;
      if (this.busy) return;
      this.client?.dispose();
      this.client = null;
    }, idle);
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
    if (this.ending) clearTimeout(this.ending);
    for (const s of this.subscriptions) s.dispose();
    this.client?.dispose();
    this.changed.dispose();
  }
}

const keyOf = (uri: vscode.Uri, exportName: string): string => `${uri.toString()}#${exportName}`;
