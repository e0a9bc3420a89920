// How many tests passed, failed and were skipped, over everything a check ran. Every suite leaves a small file
// out/results/<name>.json {"passed", "failed", "skipped"}; a suite that left none counts as failed.
const fs = require('node:fs');
const path = require('node:path');

const folder = path.join(__dirname, '..', 'out', 'results');

function reset() {
  fs.rmSync(folder, { recursive: true, force: true });
  fs.mkdirSync(folder, { recursive: true });
}

function write(name, counts) {
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(
    path.join(folder, `${name}.json`),
    `${JSON.stringify({ passed: 0, failed: 0, skipped: 0, ...counts })}\n`,
  );
}

function read(name) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), 'utf8'));
  } catch {
    return null;
  }
}

/** Turns vitest's JSON report into one result file. */
function fromVitest(name, report) {
  try {
    const r = JSON.parse(fs.readFileSync(report, 'utf8'));
    // A file that failed to load has no tests of its own but must count.
    const broken = r.testResults.filter(
      (f) => f.status === 'failed' && f.assertionResults.length === 0,
    ).length;
    write(name, {
      passed: r.numPassedTests,
      failed: r.numFailedTests + broken,
      skipped: r.numPendingTests + r.numTodoTests,
    });
  } catch {
    write(name, { failed: 1 });
  }
}

function all() {
  return fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({ name: file.slice(0, -5), ...read(file.slice(0, -5)) }));
}

/** Prints a line a suite and the closing line; returns the exit code. */
function summarize() {
  let passed = 0;
  let failed = 0;
  console.log('');
  for (const suite of all()) {
    passed += suite.passed;
    failed += suite.failed;
    const note = suite.skipped ? `, ${suite.skipped} skipped${suite.reason ? ` (${suite.reason})` : ''}` : '';
    console.log(`  ${suite.name.padEnd(24)} ${suite.passed} passed, ${suite.failed} failed${note}`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

module.exports = { reset, write, read, fromVitest, summarize };
