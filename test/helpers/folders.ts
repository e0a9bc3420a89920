import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const root = path.join(__dirname, '..', '..');
export const model = (name: string): string => path.join(root, 'test', 'fixtures', 'models', name);
export const golden = (...parts: string[]): string => path.join(root, 'test', 'golden', 'values', ...parts);

/** A new folder that is removed by `clean`. */
export function temporaryFolder(): { readonly path: string; readonly clean: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'kernelscope-test-'));
  return { path: folder, clean: () => rmSync(folder, { recursive: true, force: true }) };
}

export const readJson = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
