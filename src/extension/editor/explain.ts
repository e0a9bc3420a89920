import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Places } from '../places.js';

/** Pages of explanations; the anchors of their headings are the names of numbers and of problems. */
const pages = ['numbers.md', 'problems.md'] as const;

/** Names that a page explains: its headings of the second level, as Markdown makes anchors of them. */
export const namesIn = (page: string): readonly string[] =>
  [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title.trim().toLowerCase().replaceAll(' ', '-'));

/** The name of what is to be explained: a problem's code, or a line of the side panel. */
function nameOf(given: unknown): string | undefined {
  if (typeof given === 'string') return given;
  const { explains } = (given ?? {}) as { explains?: unknown };
  return typeof explains === 'string' ? explains : undefined;
}

/** Opens the page that explains a number or a problem, at its place; without one the page of the numbers. */
export async function explain(places: Places, given: unknown): Promise<void> {
  const name = nameOf(given);
  const fileOf = (page: string) => vscode.Uri.joinPath(places.extension, 'docs', page);
  const page =
    pages.find((p) => name !== undefined && namesIn(readFileSync(fileOf(p).fsPath, 'utf8')).includes(name)) ??
    pages[0];
  await vscode.commands.executeCommand(
    'markdown.showPreviewToSide',
    fileOf(page).with({ fragment: name ?? '' }),
  );
}
