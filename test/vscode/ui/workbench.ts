import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, FrameLocator, Page } from 'playwright-core';
import { launchBrowser } from '../../helpers/browser.js';

interface Host {
  readonly port: number;
  readonly url: string;
  readonly stop: () => void;
}
const require = createRequire(__filename);
const { startHost } = require('../../../.ci/host.js') as {
  startHost(name: string, options: object): Promise<Host>;
};

export const root = path.join(__dirname, '..', '..', '..');
export const screenshots = path.join(root, 'out', 'screenshots', 'vscode');

export interface Workbench {
  readonly page: Page;
  readonly workspace: string;
  /** Content security policy violations, failed scripts and rejections seen so far. */
  readonly troubles: string[];
  close(): Promise<void>;
}

export interface WorkbenchOptions {
  readonly files: Readonly<Record<string, string>>;
  readonly theme?: string;
  readonly width?: number;
  readonly height?: number;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly host?: 'current' | 'oldest';
  /** Language of the window; a pack without a single translation of VS Code itself makes it known. */
  readonly locale?: string;
}

/** Which host the suites run on; chosen by argument, never silently. */
export const hostName = (process.env['KERNELSCOPE_HOST'] ?? 'current') as 'current' | 'oldest';

/** A real VS Code in the browser on a workspace of its own, with the extension from this checkout. */
export async function openWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const home = mkdtempSync(path.join(tmpdir(), 'kernelscope-ui-'));
  const workspace = path.join(home, 'workspace');
  mkdirSync(workspace, { recursive: true });
  for (const [name, text] of Object.entries(options.files)) {
    mkdirSync(path.dirname(path.join(workspace, name)), { recursive: true });
    writeFileSync(path.join(workspace, name), text);
  }
  const extensions = path.join(home, 'extensions');
  mkdirSync(extensions, { recursive: true });
  symlinkSync(root, path.join(extensions, 'kernelscope.kernelscope-0.1.0'));
  if (options.locale) writeLanguagePack(home, options.locale);
  const settings: Record<string, unknown> = {
    'workbench.startupEditor': 'none',
    'workbench.secondarySideBar.defaultVisibility': 'hidden',
    'workbench.colorTheme': options.theme ?? 'Default Dark Modern',
    'window.autoDetectColorScheme': false,
    'chat.disableAIFeatures': true,
    'security.workspace.trust.enabled': false,
    'files.simpleDialog.enable': true,
    ...options.settings,
  };
  const host = await startHost(options.host ?? hostName, { home, settings });
  const browser: Browser = await launchBrowser();
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1400, height: options.height ?? 900 },
    locale: options.locale,
  });
  const troubles: string[] = [];
  page.on('console', (message) => {
    const text = message.text();
    if (
      /Content Security Policy|Unhandled|Uncaught/i.test(text) &&
      !/vsda|marketplace|ERR_NAME_NOT/i.test(text)
    )
      troubles.push(text);
  });
  page.on('pageerror', (error) => troubles.push(String(error)));
  await page.goto(`${host.url}?folder=${encodeURIComponent(workspace)}`);
  await page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
  return {
    page,
    workspace,
    troubles,
    close: async () => {
      await browser.close();
      host.stop();
      rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** What an installed language pack leaves in the user's folder: that is where the workbench learns which there are. */
function writeLanguagePack(home: string, locale: string): void {
  const user = path.join(home, 'user');
  mkdirSync(path.join(user, 'User'), { recursive: true });
  writeFileSync(path.join(user, 'User', 'argv.json'), JSON.stringify({ locale }));
  const translations = path.join(home, 'translations.json');
  writeFileSync(translations, JSON.stringify({ version: '1.0.0', contents: {} }));
  const pack = {
    hash: `test-${locale}`,
    label: locale,
    extensions: [{ extensionIdentifier: { id: `test.language-pack-${locale}` }, version: '1.0.0' }],
    translations: { vscode: translations },
  };
  writeFileSync(path.join(user, 'languagepacks.json'), JSON.stringify({ [locale]: pack }));
}

export const exampleFiles = (names: readonly string[], from = 'media/templates'): Record<string, string> => {
  const out: Record<string, string> = {};
  const { readFileSync } = require('node:fs') as typeof import('node:fs');
  for (const name of names) out[name] = readFileSync(path.join(root, from, name), 'utf8');
  return out;
};

/** Opens a file by the quick-open box. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+P');
  const box = page.locator('.quick-input-widget .quick-input-box input');
  await box.waitFor();
  await box.fill(name);
  await page
    .locator('.quick-input-list .monaco-list-row', { hasText: path.basename(name) })
    .first()
    .waitFor();
  await page.keyboard.press('Enter');
  await page
    .locator('.tab', { hasText: path.basename(name) })
    .first()
    .waitFor();
}

/** Runs a command by its title; retries while the extension is still registering. */
export async function command(page: Page, title: string): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await page.keyboard.press('F1');
    const box = page.locator('.quick-input-widget .quick-input-box input');
    await box.waitFor();
    await box.fill(`>${title}`);
    const row = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    try {
      await row.waitFor({ timeout: 1500 });
      await row.click();
      return;
    } catch {
      await page.keyboard.press('Escape');
    }
  }
  throw new Error(`No command "${title}" appeared in the palette.`);
}

export const lens = (page: Page, text: string) =>
  page.locator('.codelens-decoration a', { hasText: text }).first();

/** The document inside the dashboard panel. */
export const dashboard = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
}

export { cpSync };
