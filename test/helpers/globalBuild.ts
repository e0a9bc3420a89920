import { spawnSync } from 'node:child_process';
import path from 'node:path';

/** Suites that run the bundles build them first, when a source is newer. */
export default function setup(): void {
  const root = path.join(__dirname, '..', '..');
  const result = spawnSync(process.execPath, [path.join(root, '.ci', 'ensure.js')], {
    cwd: root,
    stdio: 'inherit',
  });
  if (result.status !== 0) throw new Error('The bundles could not be built.');
}
