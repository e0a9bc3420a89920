import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import { processes } from '../gate.js';
import type { Services } from '../services.js';
import { settings } from '../settings.js';

type Handler = (...args: unknown[]) => unknown;

/** Milliseconds that a program may take until it trains, for its run to be shown by itself. */
const timeout = 10 * 60_000;

/** Nearest folder at or above a file that has a package.json; else that of the file. */
function projectOf(file: string): string {
  for (let folder = path.dirname(file); ; folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'package.json'))) return folder;
    if (path.dirname(folder) === folder) return path.dirname(file);
  }
}

/** Scripts of a package.json, by name. */
function scriptsOf(folder: string): Readonly<Record<string, string>> {
  try {
    const { scripts } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      scripts?: Record<string, string>;
    };
    return scripts ?? {};
  } catch {
    return {};
  }
}

/** The command that runs a file: TypeScript by tsx, where the project has it. */
export function commandFor(file: string, project: string): readonly string[] {
  const relative = path.relative(project, file) || file;
  if (!/\.[cm]?tsx?$/.test(file)) return ['node', relative];
  const tsx = path.join('node_modules', '.bin', 'tsx');
  return existsSync(path.join(project, tsx)) ? [tsx, relative] : ['npx', 'tsx', relative];
}

/** Commands that run programs of the user under the watch. */
export function watchCommands({ runs, places, dashboards }: Services): Readonly<Record<string, Handler>> {
  async function choose(file: string, project: string): Promise<readonly string[] | undefined> {
    const own = commandFor(file, project);
    const scripts = Object.entries(scriptsOf(project));
    const text = readFileSync(file, 'utf8');
    // A file that exports something is seldom the program itself.
    const isProgram = !/^\s*(?:export\b|module\.exports\b|exports\.)/m.test(text);
    if (isProgram || scripts.length === 0) return own;
    const chosen = await vscode.window.showQuickPick(
      [
        { label: own.join(' '), command: own },
        ...scripts.map(([name, script]) => ({
          label: `npm run ${name}`,
          description: script,
          command: ['npm', 'run', name] as readonly string[],
        })),
      ],
      { title: vscode.l10n.t('Which program trains this model?') },
    );
    return chosen?.command;
  }

  async function watch(given: unknown): Promise<string | undefined> {
    const file = fileOf(given);
    if (!file) return undefined;
    await vscode.workspace.saveAll(false);
    const project = projectOf(file);
    const command = await choose(file, project);
    if (!command) return undefined;
    const before = new Set(runs.stored().map((run) => run.info.run));
    const execution = await processes.task(vscode, {
      name: vscode.l10n.t('Watch {0}', command.join(' ')),
      folder: vscode.workspace.getWorkspaceFolder(vscode.Uri.file(file)) ?? vscode.TaskScope.Workspace,
      program: settings.nodePath ?? process.execPath,
      args: [places.dist('cli.js'), 'watch', '--runs', places.runsFolder(file), '--', ...command],
      cwd: project,
      env: { ELECTRON_RUN_AS_NODE: '1' },
    });
    return shown(execution, before);
  }

  /** Opens the dashboard once the program trains; the id of its run, or undefined where it ends before. */
  function shown(execution: vscode.TaskExecution, before: ReadonlySet<string>): Promise<string | undefined> {
    return new Promise((resolve) => {
      const done = (id: string | undefined): void => {
        clearInterval(timer);
        ended.dispose();
        if (id) dashboards.show([id]);
        resolve(id);
      };
      const look = (): string | undefined =>
        runs.stored().find((run) => run.kind === 'watched' && !before.has(run.info.run))?.info.run;
      const since = Date.now();
      const timer = setInterval(() => {
        const id = look();
        if (id || Date.now() - since > timeout) done(id);
      }, 300);
      const ended = vscode.tasks.onDidEndTaskProcess((e) => {
        if (e.execution === execution) done(look());
      });
    });
  }

  return { watch };
}

function fileOf(given: unknown): string | undefined {
  if (given instanceof vscode.Uri) return given.fsPath;
  const { file } = (given ?? {}) as { file?: string };
  return file ?? vscode.window.activeTextEditor?.document.uri.fsPath;
}
