// `npm test`: formatting and lint, types, bundles, and every vitest suite; installs what is missing first.
//   node .ci/test.js [suite ...] [--keep]     suites: lint types bundles unit golden trainer cli webview
require('./ensure.js');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const results = require('./results.js');

const root = path.join(__dirname, '..');
const local = (name) =>
  path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);
const vitestSuites = ['unit', 'golden', 'trainer', 'cli', 'webview'];
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const chosen = (name) => wanted.length === 0 || wanted.includes(name);

function run(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  return result.status === 0;
}

/** A check that is one pass or one failure. */
function check(name, commands) {
  if (!chosen(name)) return;
  console.log(`\n${name}`);
  let passed = 0;
  let failed = 0;
  for (const [command, ...args] of commands) {
    if (run(command, args)) passed++;
    else failed++;
  }
  results.write(name, { passed, failed });
}

function vitest(name) {
  if (!chosen(name)) return;
  console.log(`\n${name}`);
  const report = path.join(root, 'out', `vitest-${name}.json`);
  require('node:fs').rmSync(report, { force: true });
  run(local('vitest'), [
    'run',
    '--config',
    'test/vitest.config.ts',
    '--project',
    name,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]);
  results.fromVitest(name, report);
}

if (!process.argv.includes('--keep')) results.reset();
check('lint', [[local('biome'), 'ci', '.']]);
check(
  'types',
  ['src/core', 'src/protocol', 'webview', '.', 'test'].map((project) => [local('tsc'), '-p', project]),
);
check('bundles', [[process.execPath, 'esbuild.js']]);
for (const name of vitestSuites) vitest(name);
process.exit(results.summarize());
