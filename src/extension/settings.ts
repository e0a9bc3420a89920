import * as vscode from 'vscode';

/** Every setting, typed; the defaults stand in package.json. */
const section = () => vscode.workspace.getConfiguration('kernelscope');

export const settings = {
  get backend(): 'auto' | 'native' | 'wasm' | 'cpu' {
    return section().get('backend', 'auto');
  },
  /** Folder with the native backend; found by itself when empty. */
  get nativePath(): string | undefined {
    return section().get('nativePath', '') || undefined;
  },
  /** Node that runs trainers; VS Code's own runtime when empty. */
  get nodePath(): string | undefined {
    return section().get('nodePath', '') || undefined;
  },
  /** Whether a trainer waits, ready, for the next run. */
  get spareTrainer(): boolean {
    return section().get('spareTrainer', true);
  },
  get diagnosticsWhileTyping(): boolean {
    return section().get('diagnostics.whileTyping', true);
  },
  get diagnosticsDelay(): number {
    return section().get('diagnostics.delay', 500);
  },
  get diagnosticsTimeout(): number {
    return section().get('diagnostics.timeout', 20) * 1000;
  },
  get codeLens(): boolean {
    return section().get('codeLens.enabled', true);
  },
  /** Whether programs in integrated terminals are observed if they train. */
  get autoWatch(): boolean {
    return section().get('autoWatch', false);
  },
  get inlayHints(): boolean {
    return section().get('inlayHints.enabled', true);
  },
  get hovers(): boolean {
    return section().get('hovers.enabled', true);
  },
  get sweepWidths(): readonly number[] {
    return section().get('sweep.widths', [64, 256, 1024, 4096]);
  },
  get sweepJobs(): number {
    return section().get('sweep.jobs', 1);
  },
};
