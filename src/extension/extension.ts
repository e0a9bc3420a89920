import * as vscode from 'vscode';
import { claimCommands } from './commands/claimCommands.js';
import { showMenu } from './commands/menu.js';
import { runCommands } from './commands/runCommands.js';
import { storedCommands } from './commands/storedCommands.js';
import { sweepCommands } from './commands/sweepCommands.js';
import { toolCommands } from './commands/toolCommands.js';
import { watchCommands } from './commands/watchCommands.js';
import { ExperimentLenses } from './editor/codeLens.js';
import { TypesFix } from './editor/editorTypes.js';
import { LayerHints } from './editor/hints.js';
import { ModelHovers } from './editor/hovers.js';
import { Inspector } from './editor/inspector.js';
import { ModelFileContext } from './editor/modelFileContext.js';
import { Problems } from './editor/problems.js';
import { Scans } from './editor/scans.js';
import { Dashboards } from './panel/dashboard.js';
import { ToolPages } from './panel/toolPages.js';
import { modelLanguages, Places } from './places.js';
import { InterruptedRuns } from './runs/interrupted.js';
import { RunManager } from './runs/runManager.js';
import { Sweeps } from './runs/sweeps.js';
import type { Services } from './services.js';
import { speakFrom, spoken } from './spoken/spoken.js';
import { AutoWatch } from './tools/autoWatch.js';
import { ClaimsTree } from './views/claimsTree.js';
import { DiagnosticsTree } from './views/diagnosticsTree.js';
import { RunsTree } from './views/runsTree.js';
import { StatusBar } from './views/statusBar.js';

/** What tests see of the running extension. */
export interface KernelscopeApi {
  /** Milliseconds that `activate` took. */
  readonly activationMilliseconds: number;
  /** Of these, those that the processor worked: what is left of a busy machine is waiting. */
  readonly activationCpuMilliseconds: number;
  readonly services: Services;
}

/** Registers everything and starts nothing: processes come with the first run or the first model file. */
export function activate(context: vscode.ExtensionContext): KernelscopeApi {
  const start = performance.now();
  const before = process.cpuUsage();
  const own = <T extends vscode.Disposable>(thing: T): T => {
    context.subscriptions.push(thing);
    return thing;
  };
  const log = own(vscode.window.createOutputChannel('Kernelscope', { log: true }));
  const places = new Places(context.extensionUri, (context.storageUri ?? context.globalStorageUri).fsPath);
  speakFrom(places);
  const scans = new Scans();
  const runs = own(new RunManager(places, log));
  const dashboards = own(
    new Dashboards(
      places,
      runs,
      log,
      (name, run) => void vscode.commands.executeCommand(commandOf[name], run),
    ),
  );
  const inspector = own(
    new Inspector(scans, places, log, (file, name) => runs.lastOf(file, name)?.request.data),
  );
  const problems = own(new Problems(scans, inspector));
  const pages = own(new ToolPages(places));
  const sweeps = new Sweeps(places, runs, pages, log);
  const runsTree = own(new RunsTree(runs, sweeps, (ids) => dashboards.show(ids)));
  const claimsTree = own(new ClaimsTree(places, context.workspaceState));
  const services: Services = {
    places,
    log,
    scans,
    runs,
    sweeps,
    dashboards,
    pages,
    inspector,
    problems,
    runsTree,
    claimsTree,
  };

  const commands: Readonly<Record<string, (...args: unknown[]) => unknown>> = {
    ...runCommands(services),
    ...storedCommands(services),
    ...sweepCommands(services),
    ...claimCommands(services),
    ...toolCommands(services),
    ...watchCommands(services),
    menu: () => showMenu(services),
  };
  for (const [name, handler] of Object.entries(commands))
    own(
      vscode.commands.registerCommand(`kernelscope.${name}`, async (...args: unknown[]) => {
        try {
          return await handler(...args);
        } catch (error) {
          log.error(error instanceof Error ? error : String(error));
          void vscode.window.showErrorMessage(spoken(error instanceof Error ? error.message : String(error)));
          return undefined;
        }
      }),
    );

  const { languages, window } = vscode;
  own(languages.registerCodeLensProvider([...modelLanguages], own(new ExperimentLenses(scans, runs))));
  own(languages.registerInlayHintsProvider([...modelLanguages], own(new LayerHints(scans, inspector, runs))));
  own(languages.registerHoverProvider([...modelLanguages], new ModelHovers(scans, inspector, runs)));
  own(
    languages.registerCodeActionsProvider([...modelLanguages], problems, {
      providedCodeActionKinds: Problems.kinds,
    }),
  );
  own(
    window.createTreeView('kernelscope.runs', {
      treeDataProvider: runsTree,
      dragAndDropController: runsTree,
      canSelectMany: true,
      showCollapseAll: true,
    }),
  );
  own(
    window.createTreeView('kernelscope.diagnostics', {
      treeDataProvider: own(new DiagnosticsTree(inspector, runs)),
    }),
  );
  own(
    languages.registerCodeActionsProvider([...modelLanguages], new TypesFix(), {
      providedCodeActionKinds: TypesFix.kinds,
    }),
  );
  own(window.createTreeView('kernelscope.claims', { treeDataProvider: claimsTree, showCollapseAll: true }));
  own(new StatusBar(runs));
  own(new ModelFileContext(scans, () => runs.expectRun()));
  own(new InterruptedRuns(runs, context.workspaceState));

  const watcher = own(vscode.workspace.createFileSystemWatcher('**/.kernelscope/{runs,sweeps/*}/*/run.json'));
  const found = (file: vscode.Uri): void => {
    places.addRun(file.fsPath);
    runs.refresh();
  };
  own(watcher.onDidCreate(found));
  // Packages of a monorepo keep runs of their own.
  void vscode.workspace
    .findFiles('**/.kernelscope/runs/*/run.json', '**/node_modules/**', 500)
    .then((files) => {
      for (const file of files) places.addRun(file.fsPath);
      if (files.length > 0) runs.refresh();
    });
  own(new AutoWatch(places, context.environmentVariableCollection));
  own(watcher.onDidDelete(() => runs.refresh()));

  const activationMilliseconds = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  const activationCpuMilliseconds = (user + system) / 1000;
  log.info(`Activated in ${activationMilliseconds.toFixed(1)} ms.`);
  return { activationMilliseconds, activationCpuMilliseconds, services };
}

const commandOf = {
  pause: 'kernelscope.pause',
  resume: 'kernelscope.resume',
  step: 'kernelscope.step',
  stop: 'kernelscope.stop',
  reveal: 'kernelscope.openRunFolder',
  report: 'kernelscope.report',
  compare: 'kernelscope.compareRuns',
} as const;
