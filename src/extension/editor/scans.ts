import * as vscode from 'vscode';
import { type ScannedExport, scanExports } from '../../experiment/scan.js';
import { type ScannedTraining, scanTrainings } from '../../experiment/scanTraining.js';

/** Experiments and builders of open documents, scanned once a version. */
export class Scans {
  private readonly cache = new WeakMap<
    vscode.TextDocument,
    { version: number; found: readonly ScannedExport[] }
  >();

  private readonly training = new WeakMap<
    vscode.TextDocument,
    { version: number; found: readonly ScannedTraining[] }
  >();

  /** Places of a document that train by themselves. */
  trainings(document: vscode.TextDocument): readonly ScannedTraining[] {
    const cached = this.training.get(document);
    if (cached?.version === document.version) return cached.found;
    const found = scanTrainings(document.getText());
    this.training.set(document, { version: document.version, found });
    return found;
  }

  of(document: vscode.TextDocument): readonly ScannedExport[] {
    const cached = this.cache.get(document);
    if (cached?.version === document.version) return cached.found;
    const found = scanExports(document.getText());
    this.cache.set(document, { version: document.version, found });
    return found;
  }

  /** The export that holds a position; the first one of the file when none does. */
  at(document: vscode.TextDocument, position: vscode.Position): ScannedExport | undefined {
    const offset = document.offsetAt(position);
    const all = this.of(document);
    return all.find((e) => e.start <= offset && offset <= e.end) ?? all[0];
  }
}

export const rangeOf = (document: vscode.TextDocument, place: { start: number; end: number }): vscode.Range =>
  new vscode.Range(document.positionAt(place.start), document.positionAt(place.end));
