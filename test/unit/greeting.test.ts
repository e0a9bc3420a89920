import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileGreetingFilter, greetingFilter } from '../../src/network/backends/setup/greeting.js';
import { temporaryFolder } from '../helpers/folders.js';

const compiler = process.env['CC'] ?? 'cc';
const compiles = process.platform === 'linux' && spawnSync(compiler, ['--version']).status === 0;

/** A module that writes to the C library's stderr stream while it is being loaded, as TensorFlow's library does. */
const speaker = `#include <stdio.h>
void *napi_register_module_v1(void *env, void *exports) {
  fputs("WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n", stderr);
  fputs("E0000 a genuine error\\n", stderr);
  fputs("I0000 port.cc:153] oneDNN custom operations are on. You may see\\n", stderr);
  fputs("W0000 a later warning\\n", stderr);
  return exports;
}
`;

describe.skipIf(!compiles)('the filter of TensorFlow’s greeting', () => {
  it('drops the greeting alone', async () => {
    const folder = temporaryFolder();
    try {
      mkdirSync(path.join(folder.path, 'lib', 'napi-v8'), { recursive: true });
      await compileGreetingFilter(folder.path);
      const filter = greetingFilter(folder.path);
      expect(existsSync(filter)).toBe(true);
      const text = path.join(folder.path, 'speaker.c');
      const module = path.join(folder.path, 'speaker.node');
      writeFileSync(text, speaker);
      expect(spawnSync(compiler, ['-shared', '-fPIC', '-o', module, text]).status).toBe(0);
      const load = (...modules: string[]) =>
        spawnSync(process.execPath, [
          '-e',
          `${modules.map((m) => `require(${JSON.stringify(m)});`).join('')} console.error('from Node')`,
        ]).stderr.toString();
      const rest = 'E0000 a genuine error\nW0000 a later warning\nfrom Node\n';
      expect(load(module)).toContain('oneDNN');
      expect(load(filter, module)).toBe(rest);
    } finally {
      folder.clean();
    }
  });
});
