// The suites in a real VS Code.
//   node .ci/testVscode.js host [--on current|oldest|electron]   mocha inside the extension host
//   node .ci/testVscode.js ui   [--on current|oldest]            the window driven from outside, with screenshots
// `electron` is the desktop VS Code through @vscode/test-electron, where its download works; nothing is chosen silently.
require('./ensure.js');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const util = require('node:util');
const { parseArgs } = require('node:util');
const { startHost } = require('./host.js');
const results = require('./results.js');

const root = path.join(__dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { on: { type: 'string', default: 'current' } },
});
const suite = positionals[0] ?? 'host';
const label = `vscode-${suite}-${values.on}`;
const bundle = path.join(root, 'out', 'test', 'suite', 'index.js');
const report = path.join(root, 'out', `${label}.json`);

function buildSuite() {
  require('esbuild').buildSync({
    entryPoints: [path.join(root, 'test', 'vscode', 'suite', 'index.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
}

/** A workspace of its own with the fixtures the suite uses. */
function workspace(home) {
  const folder = path.join(home, 'workspace');
  fs.cpSync(path.join(root, 'test', 'fixtures', 'models'), folder, { recursive: true });
  fs.cpSync(path.join(root, 'media', 'templates', 'two-layer.ts'), path.join(folder, 'two-layer.ts'));
  return folder;
}

const settings = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'kernelscope.backend': 'wasm',
  'chat.disableAIFeatures': true,
};

const workbenchNoise =
  /bindings|native-watchdog|kerberos|connection token|socket|grace-time|Service Worker|AccountPolicy|AgentHost|builtin extensions|^Error: 1? ?\d* tests failed/;

async function inCodeServer(home) {
  const { chromium } = require('playwright-core');
  const executablePath = findChromium();
  const host = await startHost(values.on, {
    home,
    testing: true,
    settings,
    env: { KERNELSCOPE_TEST_REPORT: report },
  });
  const browser = await chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
    const authority = `127.0.0.1:${host.port}`;
    const done = new Promise((resolve, reject) => {
      void page.exposeFunction('codeAutomationExit', resolve);
      void page.exposeFunction('codeAutomationLog', (_type, args) => {
        const text = util.format(...args);
        // The workbench's own remarks (bindings that are not built, sockets) would bury the suite's lines.
        if (!workbenchNoise.test(text)) console.log(text);
      });
      setTimeout(() => reject(new Error('The suite did not end within 8 minutes.')), 8 * 60_000).unref();
    });
    const remote = (place) => `vscode-remote://${authority}${place}`;
    const payload = [
      ['skipWelcome', 'true'],
      ['skipReleaseNotes', 'true'],
      ['extensionDevelopmentPath', remote(root)],
      ['extensionTestsPath', remote(bundle.replace(/\.js$/, ''))],
    ];
    const url = new URL(host.url);
    url.searchParams.set('folder', workspace(home));
    url.searchParams.set('payload', JSON.stringify(payload));
    await page.goto(url.toString());
    return await done;
  } finally {
    await browser.close();
    host.stop();
  }
}

async function inElectron(home) {
  const { runTests } = require('@vscode/test-electron');
  return runTests({
    version: process.env.KERNELSCOPE_VSCODE ?? 'stable',
    extensionDevelopmentPath: root,
    extensionTestsPath: bundle,
    launchArgs: [workspace(home), '--disable-extensions', '--disable-gpu'],
    extensionTestsEnv: { KERNELSCOPE_TEST_REPORT: report },
  });
}

function findChromium() {
  const found = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ].find((place) => place && fs.existsSync(place));
  if (!found)
    throw new Error(
      'No Chromium or Chrome was found; install one (Debian: apt-get install chromium) or set CHROMIUM to its path.',
    );
  return found;
}

async function hostSuite() {
  buildSuite();
  fs.rmSync(report, { force: true });
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'kernelscope-host-'));
  try {
    await (values.on === 'electron' ? inElectron(home) : inCodeServer(home));
  } catch (error) {
    console.error(error.message);
  } finally {
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
  const counts = fs.existsSync(report)
    ? JSON.parse(fs.readFileSync(report, 'utf8'))
    : { passed: 0, failed: 1 };
  results.write(label, counts);
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);
}

function uiSuite() {
  const { vitest } = require('./suites.js');
  const passed = vitest('ui', { label, env: { KERNELSCOPE_HOST: values.on }, secondLook: true });
  process.exit(passed ? 0 : 1);
}

if (suite === 'ui') uiSuite();
else void hostSuite();
