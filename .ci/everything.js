// `.ci/run`: the README's test command, then what takes longer: the suites on the native backend and on Node 24, the
// README's main job, theory's claims with and without their planted faults, and a real VS Code, the current and the
// oldest supported one.
//   node .ci/everything.js [stage ...]     stages: browser test native node24 main theory vscode ui
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..');
const wanted = process.argv.slice(2);
const started = Date.now();

function stage(name, work) {
  if (wanted.length > 0 && !wanted.includes(name)) return;
  const minutes = ((Date.now() - started) / 60_000).toFixed(1);
  console.log(`\n=== ${name} (${minutes} min)`);
  work();
}

const npm = (args, options = {}) =>
  spawnSync('npm', args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    ...options,
  });

/** Chromium for the webview and VS Code suites, where this is allowed to install it. */
function ensureBrowser() {
  const places = [
    process.env.CHROMIUM,
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
  ];
  if (places.some((place) => place && fs.existsSync(place))) return;
  const debian = fs.existsSync('/etc/debian_version');
  if (process.platform !== 'linux' || !debian || process.getuid() !== 0) {
    console.log(
      'No Chromium was found and this may not install one; suites that need it will fail and say so.',
    );
    return;
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', 'chromium'],
  ])
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
}

/** The suites that compute, once more on the native backend where pip can reach a TensorFlow wheel. */
function onNative() {
  const { vitest } = require('./suites.js');
  const results = require('./results.js');
  const cli = path.join(root, 'dist', 'cli.js');
  const doctor = () => spawnSync(process.execPath, [cli, 'doctor', '--json'], { encoding: 'utf8' });
  const runs = () => {
    try {
      return JSON.parse(doctor().stdout).backend.name === 'native';
    } catch {
      return false;
    }
  };
  if (runs()) {
    console.log('The native backend was there before: the suites above ran on it too.');
    return;
  }
  const setUp = spawnSync(process.execPath, [cli, 'native', '--download'], { encoding: 'utf8' });
  if (setUp.status !== 0 || !runs()) {
    const reason = `the native backend could not be set up: ${(setUp.stderr ?? '').trim().split('\n').at(-1)}`;
    console.log(`skipped: ${reason}`);
    for (const name of ['unit-native', 'golden-native']) results.write(name, { skipped: 1, reason });
    return;
  }
  for (const name of ['unit', 'golden'])
    vitest(name, { label: `${name}-native`, env: { KERNELSCOPE_TEST_NATIVE: '1' } });
}

/** VS Code itself runs extensions on Node 24. */
function onNode24() {
  const { ensureHost, nodeOf } = require('./host.js');
  const { vitest } = require('./suites.js');
  ensureHost('current');
  const env = { KERNELSCOPE_TEST_NATIVE: '0' };
  for (const name of ['unit', 'trainer'])
    vitest(name, { label: `${name}-node24`, node: nodeOf('current'), env });
}

/** The README's main command, and what it leaves behind. */
function mainJob() {
  const results = require('./results.js');
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'kernelscope-main-'));
  const folder = path.join(home, 'run');
  const report = path.join(root, 'report.html');
  fs.rmSync(report, { force: true });
  const run = npm(['start', '--', '--out', folder]);
  const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
  const expectations = {
    'exit code 0': () => run.status === 0,
    'a run folder that finished': () => JSON.parse(read('run.json')).status === 'finished',
    'metrics on every line': () =>
      read('metrics.jsonl')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)).length > 10,
    'report.html with its charts': () => /card|chart/i.test(fs.readFileSync(report, 'utf8')),
  };
  let passed = 0;
  let failed = 0;
  for (const [name, holds] of Object.entries(expectations)) {
    let ok = false;
    try {
      ok = holds();
    } catch (error) {
      console.log(error.message);
    }
    console.log(`${ok ? '✓' : '✗'} ${name}`);
    if (ok) passed++;
    else failed++;
  }
  results.write('main-job', { passed, failed });
  fs.rmSync(home, { recursive: true, force: true });
}

/** The claims, and again with their faults planted; the authors' experiments in their quick presets. */
function theory() {
  const results = require('./results.js');
  const cli = path.join(root, 'dist', 'cli.js');
  const json = (args) => {
    const child = spawnSync(process.execPath, [cli, ...args, '--json'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      return JSON.parse(child.stdout);
    } catch {
      return null;
    }
  };
  const seed = 1;
  for (const sabotage of [false, true]) {
    const label = sabotage ? 'claims-sabotaged' : 'claims';
    const seeds = sabotage ? ['--sabotage', '--seeds', String(seed)] : ['--seeds', String(seed)];
    const claims = json(['verify', '--quick', ...seeds])?.claims ?? [];
    const wrong = claims.filter((claim) => claim.passed === sabotage);
    for (const claim of wrong) console.log(`  ${claim.id} (seed ${claim.seed}): ${claim.note}`);
    // 27 of 29 is what theory promises for seeds that nobody picked; the others are named above.
    const allowed = sabotage ? 0 : 2;
    const failed = claims.length === 0 ? 1 : Math.max(0, wrong.length - allowed);
    console.log(
      `${label}: ${claims.length - wrong.length} of ${claims.length} as they should be (seed ${seed})`,
    );
    results.write(label, { passed: claims.length - wrong.length, failed });
  }
  const experiments = json(['reproduce', '--quick'])?.experiments ?? [];
  const bars = experiments.flatMap(({ experiment, bars }) => bars.map((bar) => ({ experiment, ...bar })));
  for (const { experiment, name, measured, tolerance } of bars.filter((bar) => bar.passed === false))
    console.log(`  ${experiment}, ${name}: ${measured} (${tolerance})`);
  results.write('reproduce', {
    passed: bars.filter((bar) => bar.passed === true).length,
    failed: experiments.length === 0 ? 1 : bars.filter((bar) => bar.passed === false).length,
  });
}

function inVscode(...args) {
  console.log(`\nvscode ${args.join(' ')}`);
  spawnSync(process.execPath, [path.join(__dirname, 'testVscode.js'), ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 25 * 60_000,
    killSignal: 'SIGKILL',
  });
}

/** The suite inside the extension host of a real VS Code, the current and the oldest supported one. */
function vscode() {
  inVscode('host', '--on', 'current');
  inVscode('host', '--on', 'oldest');
}

stage('browser', ensureBrowser);
stage('test', () => npm(['test']));
require('./ensure.js');
stage('native', onNative);
stage('node24', onNode24);
stage('main', mainJob);
stage('theory', theory);
stage('vscode', vscode);
stage('ui', () => inVscode('ui', '--on', 'current'));
process.exit(require('./results.js').summarize());
