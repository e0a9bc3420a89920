import { spawnSync } from 'node:child_process';

const candidates = [process.env['KERNELSCOPE_PYTHON'], 'python3', 'python'];

/** A Python that has the modules given, or why there is none. */
export function findPython(
  modules: readonly string[],
): { readonly path: string } | { readonly missing: string } {
  for (const path of candidates) {
    if (!path) continue;
    const run = spawnSync(path, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore', timeout: 60_000 });
    if (run.status === 0) return { path };
  }
  return {
    missing: `no Python with ${modules.join(' and ')} was found; install them or set KERNELSCOPE_PYTHON to one that has them`,
  };
}
