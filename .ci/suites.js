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

const vitestProgram = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');

function vitestRun(project, report, files, { node, env }) {
  fs.rmSync(report, { force: true });
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const args = ['run', '--config', 'test/vitest.config.ts', '--project', project, ...options, ...files];
  return run(node, [vitestProgram, ...args], { env, shell: false });
}

/**
 * One vitest project; `label` tells runs of the same suite apart, `node` is the program that runs it. Projects that
 * drive a browser get a `secondLook`: files that failed run once more from their beginning, and the result says so.
 */
function vitest(project, { label = project, env = {}, node = process.execPath, secondLook = false } = {}) {
  console.log(`\n${label}`);
  const report = path.join(root, 'out', `vitest-${label}.json`);
  let passed = vitestRun(project, report, [], { node, env });
  const failed = passed || !secondLook ? [] : results.failedFiles(report);
  const again = path.join(root, 'out', `vitest-${label}-again.json`);
  if (failed.length > 0) {
    console.log(`\n${label}: once more ${failed.map((file) => path.basename(file)).join(', ')}`);
    passed = vitestRun(project, again, failed, { node, env });
  }
  results.fromVitest(label, report, failed.length > 0 ? again : undefined);
  return passed;
}

module.exports = { root, vitestSuites, local, run, check, vitest };
