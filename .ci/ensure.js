// Makes a fresh checkout usable: installs the packages of the lock file and builds the bundles, each only when needed.
//   node .ci/ensure.js [--no-build]
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const minimum = [20, 19, 0];

function checkNode() {
  const version = process.versions.node.split('.').map(Number);
  for (const [i, least] of minimum.entries()) {
    if (version[i] > least) return;
    if (version[i] < least) {
      console.error(
        `Kernelscope needs Node ${minimum.join('.')} or newer; this is ${process.versions.node}. Get one from https://nodejs.org or your package manager.`,
      );
      process.exit(1);
    }
  }
}

function run(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error(`${command} ${args.join(' ')} failed (exit ${result.status ?? result.signal}).`);
    process.exit(1);
  }
}

/** Newest modification time below a folder or of a file. */
function newest(target) {
  const stat = fs.statSync(target, { throwIfNoEntry: false });
  if (!stat) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...fs.readdirSync(target).map((name) => newest(path.join(target, name))));
}

function ensureInstalled() {
  const lock = path.join(root, 'package-lock.json');
  const installed = path.join(root, 'node_modules', '.package-lock.json');
  if (fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(lock).mtimeMs - 1000) return;
  console.log('Installing packages (npm ci) …');
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error']);
  fs.utimesSync(installed, new Date(), new Date());
}

function ensureBuilt() {
  // npm ci takes away what the build has put into node_modules.
  const outputs = ['dist/cli.js', 'node_modules/kernelscope-tsserver/package.json'];
  const built = Math.min(...outputs.map((output) => newest(path.join(root, output))));
  const sources = Math.max(
    ...['src', 'webview', 'media', 'esbuild.js', 'package-lock.json'].map((p) => newest(path.join(root, p))),
  );
  if (built >= sources) return;
  console.log('Building …');
  run(process.execPath, ['esbuild.js']);
}

checkNode();
ensureInstalled();
if (!process.argv.includes('--no-build')) ensureBuilt();
