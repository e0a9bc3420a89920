import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  installPackage,
  packageFolder,
  packageIntegrity,
  packageName,
} from '../../src/network/backends/setup/build.js';
import { temporaryFolder } from '../helpers/folders.js';

let place: ReturnType<typeof temporaryFolder>;
const PATH = process.env['PATH'];
beforeEach(() => {
  place = temporaryFolder();
});
afterEach(() => {
  process.env['PATH'] = PATH;
  place.clean();
});

/** An npm that fetches something with this checksum. */
function npmThatFetches(integrity: string | undefined): void {
  const bin = path.join(place.path, 'bin');
  mkdirSync(bin, { recursive: true });
  const lock = JSON.stringify({ packages: { [`node_modules/${packageName}`]: { integrity } } });
  writeFileSync(
    path.join(bin, 'npm'),
    `#!/bin/sh\nmkdir -p node_modules/${packageName}\necho '{}' > node_modules/${packageName}/package.json\necho '${lock}' > package-lock.json\n`,
  );
  chmodSync(path.join(bin, 'npm'), 0o755);
  process.env['PATH'] = `${bin}${path.delimiter}${PATH}`;
}

it.skipIf(process.platform === 'win32')(
  'takes the native package that its registry published, and no other',
  async () => {
    const home = path.join(place.path, 'home');
    for (const other of [packageIntegrity.replace('uHrX', 'AAAA'), undefined]) {
      npmThatFetches(other);
      await expect(installPackage(home)).rejects.toThrow(
        /is not what its registry published .*so it was removed/,
      );
      expect(existsSync(packageFolder(home))).toBe(false);
    }
    npmThatFetches(packageIntegrity);
    await installPackage(home);
    expect(existsSync(packageFolder(home))).toBe(true);
  },
);
