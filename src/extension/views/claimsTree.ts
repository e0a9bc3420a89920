import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import { number } from '../format.js';
import type { Places } from '../places.js';
import { spoken } from '../spoken/spoken.js';

/** Metadata of a claim as `verify --list --json` prints it; written into the package when it is built. */
export interface ClaimListing {
  readonly id: string;
  readonly title: string;
  readonly theme: readonly string[];
  readonly statement: string;
  readonly setting: string;
  readonly tolerance: string;
  readonly source: string;
}

/** A verdict as `verify --json` prints it. */
export interface ClaimVerdict {
  readonly id: string;
  readonly passed: boolean;
  readonly predicted: number | null;
  readonly measured: number | null;
  readonly tolerance: string;
  readonly seconds: number;
  readonly note: string;
  readonly backend: string;
}

interface Theme {
  readonly kind: 'theme';
  readonly id: string;
  readonly label: string;
  readonly claims: readonly ClaimListing[];
}
export type ClaimNode = Theme | ClaimListing;
const isTheme = (node: ClaimNode): node is Theme => 'kind' in node;

const storageKey = 'kernelscope.claims';

const themeNames: Readonly<Record<string, () => string>> = {
  A: () => vscode.l10n.t('Universality'),
  B: () => vscode.l10n.t('Random features'),
  C: () => vscode.l10n.t('Neural tangent kernel'),
  "C'": () => vscode.l10n.t('Convergence'),
  "C''": () => vscode.l10n.t('What breaks the kernel picture'),
  D: () => vscode.l10n.t('Mean field'),
  E: () => vscode.l10n.t('Noisy gradient descent'),
  F: () => vscode.l10n.t('Feature repopulation'),
  G: () => vscode.l10n.t('Discretisation'),
  H: () => vscode.l10n.t('Complexity of labels'),
  I: () => vscode.l10n.t('Deep networks as kernels'),
  J: () => vscode.l10n.t('Deep mean field'),
  K: () => vscode.l10n.t('Convex reparameterisation'),
  beyond: () => vscode.l10n.t('Beyond the survey'),
};

/** The statements of the survey with their last verdicts. */
export class ClaimsTree implements vscode.TreeDataProvider<ClaimNode>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private list: readonly ClaimListing[] | null = null;
  private readonly busy = new Set<string>();

  constructor(
    private readonly places: Places,
    private readonly state: vscode.Memento,
  ) {}

  claims(): readonly ClaimListing[] {
    if (this.list) return this.list;
    try {
      this.list = (
        JSON.parse(readFileSync(this.places.dist('claims.json'), 'utf8')) as { claims: ClaimListing[] }
      ).claims;
    } catch {
      this.list = [];
    }
    return this.list;
  }

  verdicts(): Readonly<Record<string, ClaimVerdict>> {
    return this.state.get(storageKey, {});
  }

  async record(verdicts: readonly ClaimVerdict[]): Promise<void> {
    await this.state.update(storageKey, {
      ...this.verdicts(),
      ...Object.fromEntries(verdicts.map((v) => [v.id, v])),
    });
    this.changed.fire(undefined);
  }

  /** An icon for a claim's last verdict, as text. */
  mark(id: string): string {
    const verdict = this.verdicts()[id];
    if (!verdict) return '$(circle-outline)';
    return verdict.passed ? '$(pass)' : '$(error)';
  }

  setBusy(ids: readonly string[], busy: boolean): void {
    for (const id of ids)
      if (busy) this.busy.add(id);
      else this.busy.delete(id);
    this.changed.fire(undefined);
  }

  getChildren(node?: ClaimNode): ClaimNode[] {
    if (node) return isTheme(node) ? [...node.claims] : [];
    const groups = new Map<string, ClaimListing[]>();
    for (const claim of this.claims()) {
      const theme = claim.theme[0] ?? 'beyond';
      groups.set(theme, [...(groups.get(theme) ?? []), claim]);
    }
    const order = Object.keys(themeNames);
    return [...groups]
      .sort(([a], [b]) => order.indexOf(a) - order.indexOf(b))
      .map(([theme, claims]) => ({
        kind: 'theme' as const,
        id: theme,
        label: themeNames[theme]?.() ?? theme,
        claims,
      }));
  }

  getTreeItem(node: ClaimNode): vscode.TreeItem {
    if (isTheme(node)) {
      const item = new vscode.TreeItem(node.label, vscode.TreeItemCollapsibleState.Expanded);
      item.id = `theme ${node.id}`;
      item.contextValue = 'theme';
      const verdicts = this.verdicts();
      const measured = node.claims.filter((c) => verdicts[c.id]);
      item.description =
        measured.length > 0
          ? vscode.l10n.t(
              '{0} of {1} hold',
              measured.filter((c) => verdicts[c.id].passed).length,
              node.claims.length,
            )
          : String(node.claims.length);
      item.accessibilityInformation = { label: `${node.label}, ${item.description}` };
      return item;
    }
    const item = new vscode.TreeItem(spoken(node.title));
    const verdict = this.verdicts()[node.id];
    item.id = node.id;
    item.contextValue = 'claim';
    item.command = { command: 'kernelscope.showClaim', title: vscode.l10n.t('Show'), arguments: [node.id] };
    item.description = verdict
      ? vscode.l10n.t('theory {0}, measured {1}', number(verdict.predicted), number(verdict.measured))
      : spoken(node.tolerance);
    item.iconPath = this.busy.has(node.id)
      ? new vscode.ThemeIcon('loading~spin')
      : verdict
        ? new vscode.ThemeIcon(
            verdict.passed ? 'pass' : 'error',
            new vscode.ThemeColor(verdict.passed ? 'testing.iconPassed' : 'testing.iconFailed'),
          )
        : new vscode.ThemeIcon('circle-outline');
    const text = new vscode.MarkdownString();
    text.appendMarkdown('**').appendText(spoken(node.title)).appendMarkdown('**\n\n');
    text.appendText(`${spoken(node.statement)}\n\n${spoken(node.setting)}\n\n`);
    text.appendText(`${vscode.l10n.t('Holds when: {0}', spoken(node.tolerance))}\n\n`);
    if (verdict) text.appendText(`${spoken(verdict.note)}\n\n`);
    text.appendText(node.source);
    item.tooltip = text;
    item.accessibilityInformation = {
      label: `${spoken(node.title)}, ${verdict ? (verdict.passed ? vscode.l10n.t('holds') : vscode.l10n.t('does not hold')) : vscode.l10n.t('not yet verified')}`,
    };
    return item;
  }

  dispose(): void {
    this.changed.dispose();
  }
}
