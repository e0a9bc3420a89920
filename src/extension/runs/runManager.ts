import path from 'node:path';
import * as vscode from 'vscode';
import type { RunEnded, RunStarted } from '../../protocol/records.js';
import type { FromTrainer, RunRequest } from '../../protocol/trainerWire.js';
import { type DamagedRun, type RunFile, RunTail, readRun, readSnapshots } from '../../runs/index.js';
import { describeExit, type TrainerClient } from '../../trainer/client.js';
import { processes } from '../gate.js';
import type { Places } from '../places.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';
import { type RunFrame, RunModel, startFrame } from './liveRun.js';
import { RunIndex } from './runIndex.js';
import { memoryAllowsSpare, type SpareKind, SpareTrainer } from './spareTrainer.js';

export interface RunWish {
  readonly file: string;
  readonly exportName: string;
  readonly overrides?: Readonly<Record<string, unknown>>;
  readonly data?: string;
  readonly resume?: string;
  readonly paused?: boolean;
}

/** A trainer that has waited this long for a run is ended. */
const spareIdle = 10 * 60_000;

/** A run that this window started. */
export interface ActiveRun {
  readonly wish: RunWish;
  readonly client: TrainerClient;
  /** Before the trainer has told the facts: what it is doing. */
  stage: string;
  model: RunModel | null;
}

/** Starts trainers, keeps what they say, and knows the runs on disk. The only place that owns trainer processes of runs. */
export class RunManager implements vscode.Disposable {
  private readonly active = new Set<ActiveRun>();
  /** Models by run id; stored ones are read when first asked for. */
  private readonly models = new Map<string, RunModel>();
  /** Ids of models that were read from a folder. */
  private readonly read = new Set<string>();
  private readonly spare: SpareTrainer;
  private readonly index = new RunIndex();
  private readonly followed = new Map<string, NodeJS.Timeout>();
  private readonly changed = new vscode.EventEmitter<RunModel | null>();
  private readonly framed = new vscode.EventEmitter<{ run: RunModel; frame: RunFrame }>();
  /** A run came, went, or has a new status; null when the list as a whole may have changed. */
  readonly onDidChange = this.changed.event;
  readonly onDidFrame = this.framed.event;

  constructor(
    private readonly places: Places,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.spare = new SpareTrainer({ create: () => newTrainer(places), idle: spareIdle });
  }

  get running(): readonly ActiveRun[] {
    return [...this.active];
  }

  /** The run of an export that goes on now, the newest first. */
  activeOf(file: string, exportName: string): ActiveRun | undefined {
    return [...this.active]
      .reverse()
      .find((run) => run.wish.file === file && run.wish.exportName === exportName);
  }

  byId(id: string): ActiveRun | undefined {
    return [...this.active].find((run) => run.model?.id === id);
  }

  /** Runs on disk of all workspace folders, newest first. */
  stored(): RunFile[] {
    return this.index.list(this.places.runsFolders());
  }

  /** Folders with runs that cannot be read, with the reason, as of the last `stored`. */
  get damaged(): readonly DamagedRun[] {
    return this.index.damaged;
  }

  /** A few losses from the start to the end of a run on disk. */
  sketch(folder: string): readonly number[] {
    return this.index.sketch(folder);
  }

  /** The newest finished run of an export on disk. */
  lastOf(file: string, exportName: string): RunFile | undefined {
    return this.stored().find(
      (run) => run.info.source.file === file && run.info.source.exportName === exportName && run.ended,
    );
  }

  /** Everything of a run, from memory or from its folder. Throws an InputError when it is no run. */
  model(id: string, folder?: string): RunModel | null {
    const known = this.models.get(id);
    if (known) return known;
    const place = folder ?? this.stored().find((run) => run.info.run === id)?.info.folder;
    if (!place) return null;
    const model = RunModel.stored(readRun(place), readSnapshots(place));
    this.models.set(id, model);
    this.read.add(id);
    if (model.live) this.follow(id, place);
    return model;
  }

  /** Another process trains a run that is shown here, or the last window's trainer still ends it: tells what comes until it is over. */
  private follow(id: string, folder: string): void {
    if (this.followed.has(id)) return;
    const tail = new RunTail(folder);
    // What is there already is in the model, but for what came since it was read.
    const missed = tail.next();
    if (missed) this.models.get(id)?.append(missed);
    let looks = 0;
    const timer = setInterval(() => {
      const model = this.models.get(id);
      const news = model && tail.next();
      if (model && news) {
        model.append(news);
        this.framed.fire({ run: model, frame: news });
      }
      // Whether it still goes on is asked once a second.
      if (looks++ % 2 === 1) return;
      const status = this.stored().find((run) => run.info.run === id)?.status;
      if (status === 'running' || status === 'paused') {
        if (model && model.status !== status) {
          model.status = status;
          this.changed.fire(model);
        }
        return;
      }
      clearInterval(timer);
      this.followed.delete(id);
      if (status === undefined || this.byId(id)) return;
      const whole = RunModel.stored(readRun(folder), readSnapshots(folder));
      this.models.set(id, whole);
      this.read.add(id);
      this.changed.fire(whole);
    }, 500);
    this.followed.set(id, timer);
  }

  /** Tells everybody the new name of a run, one that goes on included. */
  rename(id: string, label: string): void {
    const model = this.byId(id)?.model ?? this.models.get(id);
    if (model) model.label = label;
    this.changed.fire(model ?? null);
  }

  forget(id: string): void {
    this.models.delete(id);
    this.changed.fire(null);
  }

  refresh(): void {
    // What this window has seen itself knows more than the folder: why a trainer died, for one; and what it follows is up to date.
    for (const id of this.read) {
      if (this.followed.has(id)) continue;
      this.models.delete(id);
      this.read.delete(id);
    }
    this.changed.fire(null);
  }

  /** Runs that go on in programs that are watched, the newest first: each is followed from then on. */
  watched(): readonly RunModel[] {
    return this.stored()
      .filter((run) => run.kind === 'watched' && (run.status === 'running' || run.status === 'paused'))
      .flatMap((run) => this.model(run.info.run, run.info.folder) ?? []);
  }

  /**
   * Starts a run and resolves once the trainer has told its facts (the folder exists, training begins). Rejects with a
   * sentence when it could not start: `place` says where in the file the mistake is, when that is known.
   */
  async start(wish: RunWish): Promise<RunModel> {
    const { backend, nativePath, nodePath } = settings;
    const kind = { backend, nativePath, nodePath };
    const client = await this.trainer(kind);
    const run: ActiveRun = { wish, client, stage: vscode.l10n.t('starting'), model: null };
    this.active.add(run);
    this.changed.fire(null);
    const request: RunRequest = {
      file: wish.file,
      exportName: wish.exportName,
      overrides: wish.overrides ?? {},
      backend,
      nativePath,
      data: wish.data,
      runsFolder: this.places.runsFolder(wish.file),
      resume: wish.resume,
      paused: wish.paused,
      throttle: true,
    };
    return new Promise<RunModel>((resolve, reject) => {
      const done = (keep: boolean) => {
        for (const listener of listeners) listener.dispose();
        this.active.delete(run);
        if (keep && client.running && spareAllowed()) this.spare.keep(client, kind);
        else client.dispose();
        this.changed.fire(run.model);
      };
      const listeners = [
        client.onMessage((message) => {
          this.receive(run, message);
          if (message.type === 'started' && run.model) resolve(run.model);
          if (message.type === 'finished') done(true);
          if (message.type === 'error') {
            this.log.error(message.message);
            if (run.model)
              this.end(run.model, {
                status: 'failed',
                step: run.model.last('step') || 0,
                message: message.message,
              });
            reject(Object.assign(new Error(message.message), { place: message }));
            done(true);
          }
        }),
        client.onExit((exit) => {
          const text = vscode.l10n.t(
            'The trainer ended before the run did ({0}). What was recorded until then is kept.',
            spoken(describeExit(exit)),
          );
          this.log.error(text);
          if (run.model)
            this.end(run.model, { status: 'failed', step: run.model.last('step') || 0, message: text });
          reject(new Error(text));
          done(false);
        }),
      ];
      client.run(request);
    });
  }

  /** Ends a run whatever it does: asks, then kills. */
  async stop(run: ActiveRun): Promise<void> {
    await run.client.stop();
  }

  private receive(run: ActiveRun, message: FromTrainer): void {
    switch (message.type) {
      case 'progress':
        run.stage = message.stage;
        this.changed.fire(run.model);
        return;
      case 'started':
        run.model = this.begun(message.info, message.loss, run.wish);
        this.models.set(run.model.id, run.model);
        this.log.info(
          `${message.info.name}: ${message.info.backend.name} backend. ${message.info.backend.why}`,
        );
        this.changed.fire(run.model);
        return;
      case 'frame':
        if (!run.model) return;
        run.model.append(message);
        this.framed.fire({ run: run.model, frame: message });
        return;
      case 'paused':
      case 'resumed':
        if (run.model) run.model.status = message.type === 'paused' ? 'paused' : 'running';
        this.changed.fire(run.model);
        return;
      case 'finished':
        if (run.model) this.end(run.model, message.ended);
    }
  }

  /** The model of a run that begins; one that goes on has its past in its folder. */
  private begun(info: RunStarted, loss: number | null, { resume }: RunWish): RunModel {
    if (!resume) {
      const fresh = new RunModel(info);
      if (loss !== null) fresh.append(startFrame(loss));
      return fresh;
    }
    const { run, metrics, events } = readRun(info.folder);
    const model = new RunModel(info, run.label);
    model.append({ metrics, snapshots: readSnapshots(info.folder), events });
    return model;
  }

  private end(model: RunModel, ended: RunEnded): void {
    model.status = ended.status;
    model.ended = ended;
    this.changed.fire(model);
  }

  private async trainer(kind: SpareKind): Promise<TrainerClient> {
    const ready = await this.spare.take(kind);
    if (ready) return ready;
    const client = newTrainer(this.places);
    await client.start();
    return client;
  }

  /** A model file is looked at, so a run may come: a trainer is made ready for it, unless one works already. */
  expectRun(): void {
    const { backend, nativePath, nodePath } = settings;
    if (this.active.size === 0 && spareAllowed()) this.spare.prepare({ backend, nativePath, nodePath });
  }

  /** For tests: the trainer that waits for a run. */
  get sparePid(): number | undefined {
    return this.spare.pid;
  }

  dispose(): void {
    for (const timer of this.followed.values()) clearInterval(timer);
    for (const run of this.active) run.client.dispose();
    this.spare.dispose();
    this.changed.dispose();
    this.framed.dispose();
  }
}

/** Whether a process may wait for a run: code of untrusted workspaces never starts one, and memory may be short. */
const spareAllowed = (): boolean => processes.allowed && settings.spareTrainer && memoryAllowsSpare();

/** A trainer on the configured Node, or on VS Code's own runtime. */
export function newTrainer(places: Places): TrainerClient {
  const workspace = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  return processes.trainer({
    trainerPath: places.dist('trainer.js'),
    execPath: settings.nodePath,
    cwd: workspace ?? path.dirname(places.dist()),
    background: true,
  });
}
