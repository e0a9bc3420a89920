import { writeFileSync } from 'node:fs';
import type MochaClass from 'mocha';

/** Run inside the extension host, by test-electron as by the payload of a code-server page. */
export async function run(): Promise<void> {
  const loaded = require('mocha') as { Mocha?: typeof MochaClass; default?: typeof MochaClass };
  const Mocha = loaded.Mocha ?? loaded.default ?? (loaded as unknown as typeof MochaClass);
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000, color: false });
  mocha.suite.emit('pre-require', globalThis as unknown as MochaClass.MochaGlobals, '', mocha);
  require('./activation.test.js');
  require('./training.test.js');
  require('./trees.test.js');
  require('./diagnostics.test.js');
  require('./problems.test.js');
  require('./editorTypes.test.js');
  const rejections: string[] = [];
  const listen = (reason: unknown) => {
    const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
    if (/kernelscope|dist\/extension\.js/.test(text)) rejections.push(text);
  };
  process.on('unhandledRejection', listen);
  mocha.suite.afterAll('no rejection of ours was left unhandled', () => {
    process.off('unhandledRejection', listen);
    if (rejections.length > 0) throw new Error(rejections.join('\n'));
  });
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    let passed = 0;
    let failed = 0;
    const runner = mocha.run(() => {
      const report = process.env['KERNELSCOPE_TEST_REPORT'];
      if (report) writeFileSync(report, JSON.stringify({ passed, failed, skipped: 0, lines }));
      if (failed > 0) reject(new Error(`${failed} tests failed`));
      else resolve();
    });
    runner.on('pass', (test) => {
      passed++;
      lines.push(`  ✓ ${test.fullTitle()} (${test.duration} ms)`);
    });
    runner.on('fail', (test, error: Error) => {
      failed++;
      lines.push(`  ✗ ${test.fullTitle()}\n${error.stack ?? error.message}`);
    });
  });
}
