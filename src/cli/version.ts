import { readFileSync } from 'node:fs';
import path from 'node:path';

/** Root of the installed package: `dist` lies in it. */
export const packageRoot = path.join(__dirname, '..');

export const version: string = (() => {
  try {
    return (JSON.parse(readFileSync(path.join(packageRoot, 'package.json'), 'utf8')) as { version: string })
      .version;
  } catch {
    return 'unknown';
  }
})();
