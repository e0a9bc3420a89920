import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Frame, FrameLocator, Page } from 'playwright-core';
import { afterEach, expect } from 'vitest';
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
  /** Content security policy violations, failed scripts and rejections seen so far, of the window and of our code in the host. */
  troubles(): readonly string[];
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
    'kernelscope.backend': 'wasm',
    ...options.settings,
  };
  const host = await startHost(options.host ?? hostName, { home, settings });
  const browser: Browser = await launchBrowser();
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1400, height: options.height ?? 900 },
    locale: options.locale,
  });
  // A window on a busy machine is slow, not broken.
  page.setDefaultTimeout(60_000);
  const troubles: string[] = [];
  page.on('console', (message) => {
    const text = message.text();
    if (
      /Content Security Policy|Unhandled|Uncaught/i.test(text) &&
      !/vsda|marketplace|ERR_NAME_NOT/i.test(text)
    )
      troubles.push(text);
  });
  // Our pages run in frames of their own; what the workbench stumbles over by itself is not ours to mend.
  page.on('pageerror', (error) => {
    if (!/\/workbench\/workbench\.js/.test(error.stack ?? '')) troubles.push(error.stack ?? String(error));
  });
  await page.goto(`${host.url}?folder=${encodeURIComponent(workspace)}`);
  await page.waitForSelector('.monaco-workbench', { timeout: 60_000 });
  return {
    page,
    workspace,
    troubles: () => [...troubles, ...hostTroubles(home)],
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

/** Rejections nobody handled and errors of our activation, from the logs of the extension host. */
function hostTroubles(home: string): string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const place = path.join(folder, name);
      if (statSync(place).isDirectory()) walk(place);
      else if (/exthost.*\.log$/.test(name))
        found.push(
          ...readFileSync(place, 'utf8')
            .split(/\n(?=\d{4}-\d\d-\d\d )/)
            .filter((entry) => /\[error\]/.test(entry) && /kernelscope/i.test(entry)),
        );
    }
  };
  for (const place of ['user/logs', 'data/logs', 'logs'])
    try {
      walk(path.join(home, place));
    } catch {
      // Each host keeps its logs in its own place.
    }
  return found;
}

export const exampleFiles = (names: readonly string[], from = 'media/templates'): Record<string, string> => {
  const out: Record<string, string> = {};
  for (const name of names) out[name] = readFileSync(path.join(root, from, name), 'utf8');
  return out;
};

/** Opens a file by the quick-open box. */
export async function openFile(page: Page, name: string): Promise<void> {
  await page.keyboard.press('Control+P');
  const box = page.locator('.quick-input-widget .quick-input-box input');
  await box.waitFor();
  await box.fill(name);
  // The best match need not be the first that is listed.
  const label = new RegExp(`^${path.basename(name).replaceAll('.', '\\.')}$`);
  await page
    .locator('.quick-input-list .monaco-list-row')
    .filter({ has: page.locator('.label-name', { hasText: label }) })
    .first()
    .click();
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
    const row = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
    try {
      // Whatever takes the focus meanwhile closes the palette again.
      await box.fill(`>${title}`, { timeout: 5000 });
      await row.waitFor({ timeout: 1500 });
      await row.click();
      return;
    } catch {
      await page.keyboard.press('Escape');
    }
  }
  throw new Error(`No command "${title}" appeared in the palette.`);
}

export const lens = (page: Page, text: string | RegExp) =>
  page.locator('.codelens-decoration a', { hasText: text }).first();

/** The document inside the dashboard panel, while it is the only page that is open. */
export const dashboard = (page: Page): FrameLocator =>
  page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

/** The frame of a webview page, found by what is in it. */
export async function pageWith(page: Page, selector: string, milliseconds = 60_000): Promise<Frame> {
  const end = Date.now() + milliseconds;
  for (;;) {
    for (const frame of page.frames()) {
      const found = await frame.$(selector).catch(() => null);
      if (found && (await found.isVisible().catch(() => false))) return frame;
    }
    if (Date.now() > end) throw new Error(`No page with "${selector}" appeared within ${milliseconds} ms.`);
    await page.waitForTimeout(100);
  }
}

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** Serious and critical accessibility violations of a page, each with the elements concerned. */
export async function seriousViolations(frame: Frame): Promise<string[]> {
  await frame.evaluate(axe);
  return frame.evaluate(async () => {
    const { axe: engine } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    return (await engine.run()).violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
      .map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`);
  });
}

/**
 * The same for a page that allows no scripts, found by what is in it: it is looked at in a window of its own, with the
 * theme it had. While such a page is measured for it is written anew, so what is looked at is whole or fetched again.
 */
export async function seriousViolationsWithoutScripts(page: Page, selector: string): Promise<string[]> {
  let html = '';
  await expect
    .poll(async () => {
      const frame = await pageWith(page, selector);
      html = await frame.content().catch(() => '');
      return html;
    })
    .toContain('</main>');
  const window = await page.context().browser()?.newPage();
  if (!window) throw new Error('The browser is gone.');
  try {
    await window.setContent(html);
    await window.locator(selector).first().waitFor();
    return await seriousViolations(window.mainFrame());
  } finally {
    await window.close();
  }
}

/** A row of one of our trees, by the beginning of its accessible name. */
export const row = (page: Page, name: string | RegExp) => page.getByRole('treeitem', { name }).first();

/** The side panel with our views. */
export async function openSidePanel(page: Page): Promise<void> {
  await page.locator('.activitybar .action-label[aria-label^="Kernelscope"]').click();
  await page.locator('.pane-header', { hasText: 'Runs' }).waitFor();
}

/** Types into the box that asks for a text, and accepts. */
export async function answer(page: Page, text: string): Promise<void> {
  // A list that was open before takes a moment to make place.
  await page.locator('.quick-input-widget .quick-input-list').waitFor({ state: 'hidden' });
  const box = page.locator('.quick-input-widget .quick-input-box input');
  await box.waitFor();
  await box.fill(text);
  await page.keyboard.press('Enter');
}

/** Picks the entry of the quick input that holds a text. */
export async function pick(page: Page, text: string | RegExp): Promise<void> {
  const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: text }).first();
  await entry.waitFor();
  await entry.click();
}

/** Themes by the name in the picker, and the class that the workbench gets with them. */
export const themes = {
  dark: ['Dark Modern', 'vs-dark'],
  light: ['Light Modern', 'vs'],
  'high-contrast': ['Dark High Contrast', 'hc-black'],
  'high-contrast-light': ['Light High Contrast', 'hc-light'],
} as const;

/** Puts a theme on, by the picker. */
export async function wear(page: Page, [name, className]: readonly [string, string]): Promise<void> {
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first();
  // The picker is made anew once the themes are known; then what was typed is gone.
  for (let attempt = 0; attempt < 5; attempt++) {
    await command(page, 'Preferences: Color Theme');
    const box = page.locator('.quick-input-widget .quick-input-box input[placeholder*="Theme"]');
    try {
      await box.waitFor({ timeout: 10_000 });
      await page.waitForTimeout(500 * (attempt + 1));
      await box.fill(name, { timeout: 5000 });
      await row.click({ timeout: 5000 });
      await page.locator(`.monaco-workbench.${className}`).waitFor({ timeout: 10_000 });
      return;
    } catch {
      await page.keyboard.press('Escape');
    }
  }
  throw new Error(`The window did not take the theme ${name}.`);
}

/** Keeps a picture of the window at the end of every test that fails, retries included. */
export function keepSightOfFailures(bench: () => Workbench | undefined): void {
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    const page = bench()?.page;
    const name = `failed-${task.name.replace(/\W+/g, '-').slice(0, 60)}-${task.result.retryCount ?? 0}`;
    if (page) await screenshot(page, name).catch(() => undefined);
  });
}

/** Chooses a folder in the simple dialog, which drops what was typed before it has read the folder it opens with. */
export async function chooseFolder(page: Page, folder: string): Promise<void> {
  const widget = page.locator('.quick-input-widget');
  const box = widget.locator('.quick-input-box input');
  const entry = page.locator('.quick-input-list .monaco-list-row', { hasText: path.basename(folder) });
  await expect.poll(() => box.inputValue().catch(() => '')).toMatch(/^\//);
  for (let attempt = 0; attempt < 10; attempt++) {
    await box.fill(folder);
    try {
      await entry.waitFor({ timeout: 6000 });
      await widget.getByRole('button', { name: 'OK' }).click();
      return;
    } catch {
      await box.fill('');
    }
  }
  throw new Error(`The dialog did not find ${folder}.`);
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(screenshots, { recursive: true });
  await page.screenshot({ path: path.join(screenshots, `${name}.png`) });
}
