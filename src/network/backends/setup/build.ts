import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FailureError } from '../../../core/errors.js';
import { complaint, type ProcessResult, runProcess } from './process.js';

export const packageName = '@tensorflow/tfjs-node';
export const packageVersion = '4.22.0';
/** SHA-512 of that version's archive, as the npm registry publishes it. */
export const packageIntegrity =
  'sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==';

export const packageFolder = (home: string): string => path.join(home, 'node_modules', packageName);

/** Installs tfjs-node without its install script, which downloads libraries and undoes the whole install if it fails. */
export async function installPackage(home: string): Promise<void> {
  await mkdir(home, { recursive: true });
  const manifest = path.join(home, 'package.json');
  // A manifest of its own keeps npm from walking up into another project.
  if (!existsSync(manifest)) await writeFile(manifest, '{ "private": true }\n');
  const result = await npm(
    home,
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--save-exact',
      '--package-lock',
      `${packageName}@${packageVersion}`,
    ],
    { timeoutMs: 300_000 },
  );
  if (result.code !== 0 || !existsSync(path.join(packageFolder(home), 'package.json')))
    throw new FailureError(
      `npm could not install ${packageName}@${packageVersion} into ${home}: ${complaint(result)}. Check that npm is on the path and reaches its registry.`,
    );
  const found = await installedIntegrity(home);
  if (found === packageIntegrity) return;
  // Nothing of it has been run yet.
  await rm(packageFolder(home), { recursive: true, force: true });
  throw new FailureError(
    `What npm fetched as ${packageName}@${packageVersion} is not what its registry published (${found ?? 'no checksum'} instead of ${packageIntegrity}), so it was removed. Look at the registry that npm uses (npm config get registry).`,
  );
}

/** Checksum that npm verified the archive of the package by; null where it noted none. */
export async function installedIntegrity(home: string): Promise<string | null> {
  try {
    const lock = JSON.parse(await readFile(path.join(home, 'package-lock.json'), 'utf8')) as {
      packages?: Readonly<Record<string, { readonly integrity?: string }>>;
    };
    return lock.packages?.[`node_modules/${packageName}`]?.integrity ?? null;
  } catch {
    return null;
  }
}

function npm(
  home: string,
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<ProcessResult> {
  return runProcess('npm', args, { cwd: home, ...options });
}

const noOutput: ProcessResult = { code: -1, stdout: '', stderr: '' };

/** Runs the package's own install script, which downloads libtensorflow and the addon; null when it worked, else why not. */
export async function officialInstall(home: string, timeoutMs: number): Promise<string | null> {
  const folder = packageFolder(home);
  // Only the script itself: npm may refuse to run the scripts of packages.
  const result = await runProcess(process.execPath, [path.join(folder, 'scripts', 'install.js')], {
    cwd: folder,
    env: { ...(await buildEnvironment(home)), ELECTRON_RUN_AS_NODE: '1' },
    timeoutMs,
  });
  if (result.code === 0 && addonOf(folder)) return null;
  await rm(path.join(folder, 'deps'), { recursive: true, force: true });
  return complaint(result.code === 0 ? noOutput : result);
}

/** The compiled addon of a package folder, or null. */
export function addonOf(folder: string): string | null {
  const file = path.join(folder, 'lib', 'napi-v8', 'tfjs_binding.node');
  return existsSync(file) ? file : null;
}

/** Compiles the addon against the libraries in `deps`; needs a C++ compiler, make and Python. */
export async function compileAddon(home: string): Promise<void> {
  const folder = packageFolder(home);
  const env = {
    ...(await buildEnvironment(home)),
    npm_config_nodedir: await nodeHeaders(home),
    // Else the build first asks a storage host for a ready-made addon.
    npm_config_build_from_source: 'true',
  };
  const compile = path.join(home, 'node_modules', '@mapbox', 'node-pre-gyp', 'bin', 'node-pre-gyp');
  const result = await runProcess(process.execPath, [compile, 'install', '--build-from-source'], {
    cwd: folder,
    env: { ...env, ELECTRON_RUN_AS_NODE: '1' },
    timeoutMs: 600_000,
  });
  if (result.code === 0 && addonOf(folder)) return;
  throw new FailureError(
    `The native addon could not be compiled: ${complaint(result)}. It takes a C++ compiler, make and Python 3 (on Debian: apt install g++ make python3).`,
  );
}

/** What a build finds under npm: the package programs on the path and npm's own node-gyp. */
async function buildEnvironment(home: string): Promise<Record<string, string>> {
  const bin = path.join(home, 'node_modules', '.bin');
  const env: Record<string, string> = {
    PATH: [bin, path.dirname(process.execPath), process.env['PATH']].join(path.delimiter),
  };
  const gyp = await nodeGyp(home);
  if (gyp) env['npm_config_node_gyp'] = gyp;
  return env;
}

async function nodeGyp(home: string): Promise<string | null> {
  const inside = path.join('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const roots: string[] = [];
  const called = process.env['npm_execpath'];
  if (called) roots.push(path.resolve(called, '..', '..'));
  const prefix = path.resolve(process.execPath, '..', '..');
  roots.push(path.join(prefix, 'lib', 'node_modules', 'npm'));
  const answer = await npm(home, ['root', '--global'], { timeoutMs: 20_000 });
  if (answer.code === 0) roots.push(path.join(answer.stdout.trim(), 'npm'));
  const found = roots.map((root) => path.join(root, inside)).find((file) => existsSync(file));
  return found ?? null;
}

const headerOf = (prefix: string): string => path.join(prefix, 'include', 'node', 'node.h');

async function headerVersion(prefix: string): Promise<string | null> {
  const file = path.join(prefix, 'include', 'node', 'node_version.h');
  const text = await readFile(file, 'utf8').catch(() => '');
  return /#define NODE_MAJOR_VERSION (\d+)/.exec(text)?.[1] ?? null;
}

/** Prefix whose include/node holds the running Node's headers: its own, else those of the npm package of that version. */
async function nodeHeaders(home: string): Promise<string> {
  const own = path.resolve(process.execPath, '..', '..');
  const major = process.versions.node.split('.')[0];
  if (existsSync(headerOf(own)) && (await headerVersion(own)) === major) return own;
  const name = `node-${process.platform}-${process.arch}`;
  const prefix = path.join(home, 'headers', process.versions.node);
  if (existsSync(headerOf(prefix))) return prefix;
  const stage = `${prefix}.part`;
  await rm(stage, { recursive: true, force: true });
  await mkdir(stage, { recursive: true });
  await writeFile(path.join(stage, 'package.json'), '{ "private": true }\n');
  const result = await npm(
    stage,
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-save',
      `${name}@${process.versions.node}`,
    ],
    { timeoutMs: 300_000 },
  );
  const fetched = path.join(stage, 'node_modules', name);
  if (result.code !== 0 || !existsSync(headerOf(fetched)))
    throw new FailureError(
      `The headers of Node ${process.versions.node} are neither beside ${process.execPath} nor in the npm package ${name}: ${complaint(result)}. Install Node from nodejs.org, whose archive holds them.`,
    );
  await mkdir(prefix, { recursive: true });
  await rename(path.join(fetched, 'include'), path.join(prefix, 'include'));
  await rm(stage, { recursive: true, force: true });
  return prefix;
}
