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

/** What a vitest JSON report counts; a file that failed to load has no tests of its own but counts as a failure. */
function countsOf(files) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const file of files) {
    if (file.status === 'failed' && file.assertionResults.length === 0) counts.failed++;
    for (const { status } of file.assertionResults)
      if (status === 'passed' || status === 'failed') counts[status]++;
      else counts.skipped++;
  }
  return counts;
}

const filesOf = (report) => JSON.parse(fs.readFileSync(report, 'utf8')).testResults;

/** Test files with a failure, in a vitest JSON report. */
function failedFiles(report) {
  try {
    return filesOf(report)
      .filter((file) => file.status === 'failed')
      .map((file) => file.name);
  } catch {
    return [];
  }
}

/**
 * Turns vitest's JSON report into one result file. With the report of a second look at the files that failed, those
 * files count as they came out then, and the result names them.
 */
function fromVitest(name, report, secondLook) {
  try {
    const again = secondLook ? filesOf(secondLook) : [];
    const files = filesOf(report).map((file) => again.find((other) => other.name === file.name) ?? file);
    const unsteady = again.filter((file) => file.status === 'passed').map((file) => path.basename(file.name));
    const note = unsteady.length > 0 ? { note: `${unsteady.join(', ')} only at the second look` } : {};
    write(name, { ...countsOf(files), ...note });
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
    const skipped = suite.skipped
      ? `, ${suite.skipped} skipped${suite.reason ? ` (${suite.reason})` : ''}`
      : '';
    const note = suite.note ? `; ${suite.note}` : '';
    console.log(`  ${suite.name.padEnd(24)} ${suite.passed} passed, ${suite.failed} failed${skipped}${note}`);
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

module.exports = { reset, write, read, failedFiles, fromVitest, summarize };
