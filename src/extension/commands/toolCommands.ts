import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { expandVary } from '../../experiment/overrides.js';
import type { ExperimentTarget } from '../editor/codeLens.js';
import { giveTypes } from '../editor/editorTypes.js';
import { explain } from '../editor/explain.js';
import type { Services } from '../services.js';
import { settings } from '../settings.js';
import { runCli } from '../tools/cliTask.js';
import type { ClaimListing, ClaimVerdict } from '../views/claimsTree.js';
import { chooseTarget } from './targets.js';

type Handler = (...args: unknown[]) => unknown;

/** Commands around the training: claims, reproductions, sweeps, backends, templates, explanations. */
export function toolCommands(services: Services): Readonly<Record<string, Handler>> {
  const { places, log, claimsTree, scans } = services;

  const failed = (text: string) => {
    const show = vscode.l10n.t('Show log');
    void vscode.window.showErrorMessage(text, show).then((answer) => answer === show && log.show());
  };

  /** A page that one of our tools wrote: figures only, no scripts. */
  function showPage(title: string, file: string): void {
    const panel = vscode.window.createWebviewPanel('kernelscope.page', title, vscode.ViewColumn.Beside, {});
    panel.iconPath = places.media('icon.svg');
    const policy = `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">`;
    panel.webview.html = readFileSync(file, 'utf8').replace('<head>', `<head>${policy}`);
  }

  async function verify(claims: readonly ClaimListing[]): Promise<void> {
    const ids = claims.map((c) => c.id);
    const page = path.join(mkdtempSync(path.join(tmpdir(), 'kernelscope-')), 'claims.html');
    const title =
      claims.length === 1
        ? vscode.l10n.t('Verifying: {0}', claims[0].title)
        : vscode.l10n.t('Verifying {0} claims', claims.length);
    claimsTree.setBusy(ids, true);
    try {
      const result = await runCli(
        places,
        ['verify', ...ids, '--json', '--html', page, '--backend', settings.backend],
        title,
        log,
      );
      if (result.code === 130) return;
      const { claims: verdicts } = JSON.parse(result.stdout) as { claims: ClaimVerdict[] };
      await claimsTree.record(verdicts);
      showPage(claims.length === 1 ? claims[0].title : vscode.l10n.t('Claims'), page);
    } catch {
      failed(vscode.l10n.t('The claims could not be measured. The log says why.'));
    } finally {
      claimsTree.setBusy(ids, false);
    }
  }

  async function sweep(target: ExperimentTarget, vary: readonly string[]): Promise<void> {
    const cells = vary.reduce((product, text) => product * expandVary(text).values.length, 1);
    const last = services.runs.lastOf(target.file, target.exportName)?.ended?.summary?.seconds;
    const cost = last
      ? vscode.l10n.t(
          '{0} runs; the last one of this experiment took {1} s, so this takes about {2} min.',
          cells,
          Math.round(last),
          Math.ceil((cells * last) / 60 / settings.sweepJobs),
        )
      : vscode.l10n.t('{0} runs.', cells);
    const go = vscode.l10n.t('Start');
    if (
      (await vscode.window.showInformationMessage(cost, { modal: true, detail: vary.join('\n') }, go)) !== go
    )
      return;
    const name = `sweep-${new Date().toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')}`;
    const out = path.join(places.runsFolder(target.file), '..', 'sweeps', name);
    const args = [
      'sweep',
      target.file,
      '--export',
      target.exportName,
      ...vary.flatMap((text) => ['--vary', text]),
      '--out',
      out,
      '--jobs',
      String(settings.sweepJobs),
      '--backend',
      settings.backend,
      '--html',
      path.join(out, 'sweep.html'),
      '--json',
    ];
    const result = await runCli(places, args, vscode.l10n.t('Sweep of {0}', path.basename(target.file)), log);
    services.runs.refresh();
    if (result.code === 0)
      showPage(vscode.l10n.t('Sweep of {0}', path.basename(target.file)), path.join(out, 'sweep.html'));
    else if (result.code !== 130)
      failed(result.stderr.trim().split('\n').at(-1) ?? vscode.l10n.t('The sweep failed.'));
  }

  async function reproduce(): Promise<void> {
    // Written by the build, so that choosing starts no process.
    const { experiments } = JSON.parse(readFileSync(places.dist('experiments.json'), 'utf8')) as {
      experiments: { id: string; title: string; statement: string }[];
    };
    const chosen = await vscode.window.showQuickPick(
      experiments.map((e) => ({ label: e.title, description: e.id, detail: e.statement, id: e.id })),
      {
        title: vscode.l10n.t('Reproduce which experiment of the authors?'),
        matchOnDetail: true,
        matchOnDescription: true,
      },
    );
    if (!chosen) return;
    const page = path.join(mkdtempSync(path.join(tmpdir(), 'kernelscope-')), 'reproduce.html');
    const result = await runCli(
      places,
      ['reproduce', chosen.id, '--quick', '--json', '--html', page],
      chosen.label,
      log,
    );
    if (result.code === 0 || result.code === 1) showPage(chosen.label, page);
    else if (result.code !== 130) failed(result.stderr.trim());
  }

  return {
    verifyClaim: async (given) => {
      const known = claimsTree.claims();
      const id = (given as ClaimListing | undefined)?.id ?? (typeof given === 'string' ? given : undefined);
      const direct = known.find((claim) => claim.id === id);
      if (direct) return verify([direct]);
      const chosen = await vscode.window.showQuickPick(
        known.map((claim) => ({ label: claim.title, description: claim.id, detail: claim.statement, claim })),
        { title: vscode.l10n.t('Verify which claim?'), matchOnDetail: true, matchOnDescription: true },
      );
      return chosen && verify([chosen.claim]);
    },
    verifyAll: () => verify(claimsTree.claims()),
    reproduce,
    sweepWidth: async (given) => {
      const target = await chooseTarget(scans, given);
      if (target) await sweep(target, [`model.width=${settings.sweepWidths.join(',')}`]);
    },
    sweep: async (given) => {
      const target = await chooseTarget(scans, given);
      if (!target) return;
      const text = await vscode.window.showInputBox({
        title: vscode.l10n.t('What shall vary?'),
        prompt: vscode.l10n.t('path=a,b,c or path=a..b, separated by spaces'),
        value: `model.width=${settings.sweepWidths.join(',')} seed=0..2`,
        validateInput: (value) => {
          try {
            value.split(/\s+/).filter(Boolean).map(expandVary);
            return null;
          } catch (error) {
            return (error as Error).message;
          }
        },
      });
      if (text) await sweep(target, text.split(/\s+/).filter(Boolean));
    },
    doctor: async () => {
      const args = ['doctor', '--backend', settings.backend];
      const result = await runCli(places, args, vscode.l10n.t('Looking at the backends'), log);
      log.info(result.stdout);
      log.show();
    },
    setUpNative: async () => {
      const go = vscode.l10n.t('Set up');
      const answer = await vscode.window.showInformationMessage(
        vscode.l10n.t('Set up the native backend?'),
        {
          modal: true,
          detail: vscode.l10n.t(
            'It trains five to ten times faster. TensorFlow is downloaded (up to 300 MB) or taken from a Python that has it.',
          ),
        },
        go,
      );
      if (answer !== go) return;
      const result = await runCli(places, ['native'], vscode.l10n.t('Setting up the native backend'), log);
      log.info(result.stdout);
      if (result.code === 0)
        void vscode.window.showInformationMessage(
          vscode.l10n.t('The native backend is ready; the next run uses it.'),
        );
      else
        failed(
          result.stderr.trim().split('\n').at(-1) ?? vscode.l10n.t('The native backend could not be set up.'),
        );
    },
    newModelFile: async () => {
      const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
      const templates = places.media('templates');
      const names = (await vscode.workspace.fs.readDirectory(templates))
        .map(([name]) => name)
        .filter((name) => /\.[jt]s$/.test(name));
      const items = await Promise.all(
        names.sort().map(async (name) => {
          const text = Buffer.from(
            await vscode.workspace.fs.readFile(vscode.Uri.joinPath(templates, name)),
          ).toString('utf8');
          const comment = text
            .split('\n')
            .filter((line) => line.startsWith('//'))
            .map((line) => line.slice(2).trim())
            .join(' ');
          return { label: name.replace(/\.[jt]s$/, ''), detail: comment, name, text };
        }),
      );
      const chosen = await vscode.window.showQuickPick(items, {
        title: vscode.l10n.t('Start from which template?'),
        matchOnDetail: true,
      });
      if (!chosen) return;
      if (!folder) {
        await vscode.window.showTextDocument(
          await vscode.workspace.openTextDocument({ language: 'typescript', content: chosen.text }),
        );
        return;
      }
      let target = vscode.Uri.joinPath(folder, chosen.name);
      for (let i = 2; await exists(target); i++)
        target = vscode.Uri.joinPath(folder, chosen.name.replace(/(\.[jt]s)$/, `-${i}$1`));
      await vscode.workspace.fs.writeFile(target, Buffer.from(chosen.text));
      await giveTypes(places, folder.fsPath);
      await vscode.window.showTextDocument(target);
    },
    addTypes: async (uri) => {
      const folder =
        uri instanceof vscode.Uri
          ? vscode.workspace.getWorkspaceFolder(uri)?.uri
          : vscode.workspace.workspaceFolders?.[0]?.uri;
      if (folder) await giveTypes(places, folder.fsPath);
    },
    explain: (given) => explain(places, given),
    openWalkthrough: () =>
      vscode.commands.executeCommand(
        'workbench.action.openWalkthrough',
        'kernelscope.kernelscope#kernelscope.start',
        false,
      ),
    openSettings: () =>
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:kernelscope.kernelscope'),
    showOutput: () => log.show(),
  };
}

async function exists(uri: vscode.Uri): Promise<boolean> {
  try {
    await vscode.workspace.fs.stat(uri);
    return true;
  } catch {
    return false;
  }
}
