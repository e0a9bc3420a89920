import * as vscode from 'vscode';
import { parseOverride } from '../../experiment/overrides.js';
import { type ControlWord, canSteer, readRunFile, sendWord, sourceHash } from '../../runs/index.js';
import type { ExperimentTarget } from '../editor/codeLens.js';
import type { ActiveRun, RunWish } from '../runs/runManager.js';
import type { Services } from '../services.js';
import { spoken } from '../spoken/spoken.js';
import { chooseTarget, dataFor } from './targets.js';

type Handler = (...args: unknown[]) => unknown;

/** Commands that start runs and steer them. */
export function runCommands(services: Services): Readonly<Record<string, Handler>> {
  const { scans, runs, dashboards } = services;

  /** Starts a run and shows it; a mistake in the file becomes a problem at its place. Undefined when it did not start. */
  async function start(wish: RunWish): Promise<string | undefined> {
    await vscode.workspace.saveAll(false);
    const close = dashboards.prepare();
    try {
      const model = await runs.start(wish);
      return model.id;
    } catch (error) {
      close();
      const place = (error as { place?: { field?: string; line?: number; column?: number } }).place ?? {};
      const message = error instanceof Error ? error.message : String(error);
      services.problems.show(vscode.Uri.file(wish.file), wish.exportName, { ...place, message });
      const show = vscode.l10n.t('Show log');
      void vscode.window
        .showErrorMessage(spoken(message.split('\n')[0]), show)
        .then((answer) => answer === show && services.log.show());
      return undefined;
    }
  }

  async function withData(target: ExperimentTarget): Promise<RunWish | undefined> {
    const data = await dataFor(scans, target);
    if (data === undefined) return undefined;
    return data === null ? target : { ...target, data };
  }

  async function run(given: unknown): Promise<string | undefined> {
    const target = await chooseTarget(scans, given);
    const wish = target && (await withData(target));
    if (!wish) return undefined;
    const id = await start(wish);
    if (id) dashboards.show([id]);
    return id;
  }

  /** The run a command is about: by id, by tree item, by experiment; else the only one, else the user picks. */
  async function active(given: unknown): Promise<ActiveRun | undefined> {
    const id = idOf(given);
    if (id) return runs.byId(id);
    const target = given as Partial<ExperimentTarget> | undefined;
    if (target?.file && target.exportName) return runs.activeOf(target.file, target.exportName);
    if (runs.running.length <= 1) return runs.running[0];
    const chosen = await vscode.window.showQuickPick(
      runs.running.map((r) => ({ label: r.model?.name ?? r.wish.file, run: r })),
      { title: vscode.l10n.t('Which run?') },
    );
    return chosen?.run;
  }

  /** Says a word to a watched program, where the command is about one; whether it was. */
  async function steered(given: unknown, word: ControlWord): Promise<boolean> {
    const id = idOf(given);
    const folder =
      id && !runs.byId(id) ? runs.stored().find((r) => r.info.run === id)?.info.folder : undefined;
    if (!folder || !canSteer(folder)) return false;
    await sendWord(folder, word);
    return true;
  }

  async function pair(
    first: Promise<string | undefined>,
    second: () => Promise<string | undefined>,
  ): Promise<void> {
    const a = await first;
    if (!a) return;
    dashboards.show([a]);
    const b = await second();
    if (b) dashboards.show([a, b]);
  }

  return {
    run,
    runWith: async (given) => {
      const target = await chooseTarget(scans, given);
      if (!target) return;
      const text = await vscode.window.showInputBox({
        title: vscode.l10n.t('Run with other values'),
        prompt: vscode.l10n.t(
          'path=value, separated by spaces: model.width=4096 seed=2 optimizer.learningRate=0.1',
        ),
        validateInput: (value) => {
          try {
            value.split(/\s+/).filter(Boolean).map(parseOverride);
            return null;
          } catch (error) {
            return spoken((error as Error).message);
          }
        },
      });
      if (text === undefined) return;
      const overrides = Object.fromEntries(
        text
          .split(/\s+/)
          .filter(Boolean)
          .map(parseOverride)
          .map(({ path, value }) => [path, value]),
      );
      const wish = await withData(target);
      const id = wish && (await start({ ...wish, overrides }));
      if (id) dashboards.show([id]);
    },
    pause: async (given) => (await steered(given, 'pause')) || (await active(given))?.client.pause(),
    resume: async (given) => {
      if (await steered(given, 'resume')) return;
      const run = await active(given);
      if (run) {
        run.client.resume();
        return;
      }
      // A run that is over goes on from its last checkpoint.
      const id = idOf(given);
      const stored = runs.stored().find((r) => r.info.run === id);
      if (!stored) return;
      if (stored.imported && !(await agreed(stored.info.source.file))) return;
      runs.forget(stored.info.run);
      const resumed = await start({ ...stored.info.source, resume: stored.info.folder });
      if (resumed) dashboards.show([resumed]);
    },
    step: async (given) => (await steered(given, 'step')) || (await active(given))?.client.step(1),
    measure: (given) => steered(given, 'measure'),
    stop: async (given) => {
      if (await steered(given, 'stop')) return;
      const run = await active(given);
      if (run) await runs.stop(run);
    },
    lazyAgainstRich: async (given) => {
      const target = await chooseTarget(scans, given);
      if (!target) return;
      const at = (scale: string) =>
        start({
          ...target,
          overrides: { 'model.scale': scale, name: `${scale === 'ntk' ? 'α = √m' : 'α = 1'}` },
        });
      await pair(at('ntk'), () => at('mean-field'));
    },
    compareWithLast: async (given) => {
      const target = await chooseTarget(scans, given);
      if (!target) return;
      const last = runs.lastOf(target.file, target.exportName);
      const wish = await withData(target);
      if (!wish) return;
      const id = await start(wish);
      if (id) dashboards.show(last ? [id, last.info.run] : [id]);
    },
    // The file may have been changed since: same seed, same batches, two runs in the same charts.
    fork: async (given) => {
      const run = await active(given);
      if (!run?.model) {
        void vscode.window.showInformationMessage(
          vscode.l10n.t('Start a run first; then change the file and fork it.'),
        );
        return;
      }
      await vscode.workspace.saveAll(false);
      const { info, name } = run.model;
      const anyway = vscode.l10n.t('Fork anyway');
      if (
        readRunFile(info.folder).source.sha256 === sourceHash(info.source.file) &&
        (await vscode.window.showInformationMessage(
          vscode.l10n.t(
            '{0} has not changed since this run began, so the fork would be the same run. Change the file, then fork.',
            vscode.workspace.asRelativePath(info.source.file),
          ),
          anyway,
        )) !== anyway
      )
        return;
      const id = await start({
        ...run.wish,
        resume: undefined,
        paused: undefined,
        overrides: {
          ...run.wish.overrides,
          seed: info.seed,
          name: vscode.l10n.t('{0}, forked', name),
        },
      });
      if (id) dashboards.show([info.run, id]);
    },
    inspect: async (given) => {
      const target = await chooseTarget(scans, given);
      if (!target) return;
      const document = await vscode.workspace.openTextDocument(target.file);
      await vscode.commands.executeCommand('kernelscope.diagnostics.focus');
      await services.inspector.inspect(document, target.exportName);
    },
  };
}

/** A run from elsewhere names its model file itself: whoever goes on with it sees which file will be run. */
async function agreed(file: string): Promise<boolean> {
  const go = vscode.l10n.t('Run it');
  const answer = await vscode.window.showWarningMessage(
    vscode.l10n.t('This run was imported. Going on with it runs the code of a file that it names.'),
    { modal: true, detail: file },
    go,
  );
  return answer === go;
}

/** A run's id from what a command was given: the id itself, a tree item. */
export function idOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  const item = given as { kind?: string; id?: string } | undefined;
  return item?.kind === 'run' ? item.id : undefined;
}
