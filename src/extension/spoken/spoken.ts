import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { NoteRecord, RegimeRecord, RunEnded } from '../../protocol/records.js';
import type { Places } from '../places.js';
import { Translator } from './translator.js';

/** Languages that the sentences from below the editor have been translated to. */
const languages = ['zh-cn'];

/** Null where the window is in English: its sentences are shown as they come. */
let translator: Translator | null = null;
let load: (() => Translator) | null = null;

/** Says where the translations are. They are read when something has to be translated for the first time. */
export function speakFrom(places: Places, language = vscode.env.language.toLowerCase()): void {
  translator = null;
  load = languages.includes(language)
    ? () =>
        new Translator(
          JSON.parse(readFileSync(places.media('l10n', `said.${language}.json`).fsPath, 'utf8')) as Record<
            string,
            string
          >,
          vscode.l10n.bundle,
        )
    : null;
}

function tongue(): Translator | null {
  if (load) {
    translator = load();
    load = null;
  }
  return translator;
}

/** What the trainer, the command line or a run folder says in English, in the language of the window. */
export const spoken = (text: string): string => tongue()?.translate(text) ?? text;

/** A page that the command line wrote. */
export const spokenPage = (html: string): string => tongue()?.translatePage(html) ?? html;

/** Verdicts and notes of a run. */
export function spokenEvents<T extends RegimeRecord | NoteRecord>(events: readonly T[]): readonly T[] {
  if (!tongue()) return events;
  return events.map((event) =>
    event.kind === 'regime'
      ? { ...event, reasons: event.reasons.map(spoken) }
      : { ...event, text: spoken(event.text) },
  );
}

/** How a run ended. */
export const spokenEnd = (ended: RunEnded | undefined): RunEnded | undefined =>
  ended?.message && tongue() ? { ...ended, message: spoken(ended.message) } : ended;
