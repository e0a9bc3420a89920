import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Services } from '../services.js';
import { settings } from '../settings.js';
import { spoken } from '../spoken/spoken.js';
import { runCli } from '../tools/cliTask.js';
import type { ClaimListing, ClaimNode, ClaimVerdict } from '../views/claimsTree.js';

type Handler = (...args: unknown[]) => unknown;

/** Commands on the statements of the theory and on the authors' experiments. */
export function claimCommands(services: Services): Readonly<Record<string, Handler>> {
  const { places, log, claimsTree, pages } = services;
  const pageOf = (id: string) => path.join(places.storage, 'claims', `${id}.html`);

  async function verify(claims: readonly ClaimListing[]): Promise<void> {
    const ids = claims.map((c) => c.id);
    const page = pageOf(claims.length === 1 ? ids[0] : 'all');
    mkdirSync(path.dirname(page), { recursive: true });
    const title =
      claims.length === 1
        ? vscode.l10n.t('Verifying: {0}', spoken(claims[0].title))
        : vscode.l10n.t('Verifying {0} claims', claims.length);
    claimsTree.setBusy(ids, true);
    const seen = new Set<string>();
    try {
      const result = await runCli(
        places,
        ['verify', ...ids, '--json', '--html', page, '--backend', settings.backend],
        title,
        log,
        {
          // Verdicts come one by one, so a cancelled verification keeps those that are there.
          event: (name, value) => {
            if (name !== 'verdict') return;
            const verdict = value as ClaimVerdict;
            seen.add(verdict.id);
            claimsTree.setBusy([verdict.id], false);
            void claimsTree.record([verdict]);
          },
        },
      );
      if (seen.size === 0) {
        if (result.code !== 130) fail(result.stderr);
        return;
      }
      splitPage(page, seen, pageOf);
      pages.show(claims.length === 1 ? spoken(claims[0].title) : vscode.l10n.t('Claims'), page);
    } finally {
      claimsTree.setBusy(ids, false);
    }
  }

  function fail(stderr: string): void {
    const show = vscode.l10n.t('Show log');
    const reason = stderr.trim().split('\n').at(-1) ?? '';
    void vscode.window
      .showErrorMessage(vscode.l10n.t('The claims could not be measured: {0}', spoken(reason)), show)
      .then((answer) => answer === show && log.show());
  }

  /** The claims a command is about: one, those of a theme, else the one that the user picks. */
  async function choose(given: unknown, title: string): Promise<readonly ClaimListing[]> {
    const known = claimsTree.claims();
    const node = given as ClaimNode | undefined;
    if (node && typeof node === 'object' && 'kind' in node) return node.claims;
    const id = typeof given === 'string' ? given : (node as ClaimListing | undefined)?.id;
    const direct = known.find((claim) => claim.id === id);
    if (direct) return [direct];
    const chosen = await vscode.window.showQuickPick(
      known.map((claim) => ({
        label: `${claimsTree.mark(claim.id)} ${spoken(claim.title)}`,
        description: claim.id,
        detail: spoken(claim.statement),
        claim,
      })),
      { title, matchOnDetail: true, matchOnDescription: true },
    );
    return chosen ? [chosen.claim] : [];
  }

  return {
    verifyClaim: async (given) => {
      const chosen = await choose(given, vscode.l10n.t('Verify which claim?'));
      if (chosen.length > 0) await verify(chosen);
    },
    verifyAll: () => verify(claimsTree.claims()),
    showClaim: async (given) => {
      const [claim] = await choose(given, vscode.l10n.t('Show which claim?'));
      if (!claim) return;
      if (existsSync(pageOf(claim.id))) {
        pages.show(spoken(claim.title), pageOf(claim.id));
        return;
      }
      const go = vscode.l10n.t('Verify');
      const answer = await vscode.window.showInformationMessage(
        vscode.l10n.t('“{0}” was not measured here yet. {1}', spoken(claim.title), spoken(claim.statement)),
        go,
      );
      if (answer === go) await verify([claim]);
    },
    reproduce: () => reproduce(services),
  };
}

/** Writes each claim's part of a page as a page of its own. */
function splitPage(page: string, ids: ReadonlySet<string>, pageOf: (id: string) => string): void {
  if (ids.size < 2 || !existsSync(page)) return;
  const html = readFileSync(page, 'utf8');
  const head = html.slice(0, html.indexOf('<body>') + '<body>'.length);
  for (const id of ids) {
    const from = html.indexOf(`<section id="${id}">`);
    const to = html.indexOf('</section>', from);
    if (from >= 0 && to > from)
      writeFileSync(pageOf(id), `${head}<main>${html.slice(from, to)}</section></main></body></html>\n`);
  }
}

async function reproduce({ places, log, pages }: Services): Promise<void> {
  // Written by the build, so that choosing starts no process.
  const { experiments } = JSON.parse(readFileSync(places.dist('experiments.json'), 'utf8')) as {
    experiments: { id: string; title: string; statement: string }[];
  };
  const chosen = await vscode.window.showQuickPick(
    experiments.map((e) => ({
      label: spoken(e.title),
      description: e.id,
      detail: spoken(e.statement),
      id: e.id,
    })),
    {
      title: vscode.l10n.t('Reproduce which experiment of the authors?'),
      matchOnDetail: true,
      matchOnDescription: true,
    },
  );
  if (!chosen) return;
  const page = path.join(places.storage, 'experiments', `${chosen.id}.html`);
  mkdirSync(path.dirname(page), { recursive: true });
  const result = await runCli(
    places,
    ['reproduce', chosen.id, '--quick', '--json', '--html', page],
    chosen.label,
    log,
  );
  if (result.code === 0 || result.code === 1) pages.show(chosen.label, page);
  else if (result.code !== 130) throw new Error(result.stderr.trim().split('\n').at(-1));
}
