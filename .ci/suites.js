// Runs commands and vitest suites and keeps what they counted (results.js).
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const results = require('./results.js');

const root = path.join(__dirname, '..');
/** Suites of `npm test`, in the order they run. */
const vitestSuites = ['unit', 'golden', 'trainer', 'cli', 'webview'];

/** A program of node_modules/.bin. */
const local = (name) =>
  path.join(root, 'node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name);

function run(command, args, { env = {}, ...options } = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
    env: { ...process.env, ...env },
    ...options,
  });
  return result.status === 0;
}

/** A check of several commands, each one pass or one failure. */
function check(name, commands) {
  console.log(`\n${name}`);
  let passed = 0;
  let failed = 0;
  for (const [command, ...args] of commands) {
    if (run(command, args)) passed++;
    else failed++;
  }
  results.write(name, { passed, failed });
}

/** One vitest project; `label` tells runs of the same suite apart, `node` is the program that runs it. */
function vitest(project, { label = project, env = {}, node = process.execPath } = {}) {
  console.log(`\n${label}`);
  const report = path.join(root, 'out', `vitest-${label}.json`);
  fs.rmSync(report, { force: true });
  const program = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const passed = run(
    node,
    [program, 'run', '--config', 'test/vitest.config.ts', '--project', project, ...options],
    {
      env,
      shell: false,
    },
  );
  results.fromVitest(label, report);
  return passed;
}

module.exports = { root, vitestSuites, local, run, check, vitest };
