import { type Command, Option } from 'commander';
import { FailureError } from '../../core/errors.js';
import { type BackendPreference, type BackendReport, useBackend } from '../../network/backends/index.js';
import { findNative, nativeCandidates } from '../../network/backends/native.js';
import { version } from '../version.js';

interface Options {
  readonly backend: BackendPreference;
  readonly json?: boolean;
}

interface Diagnosis {
  readonly kernelscope: string;
  readonly node: string;
  readonly platform: string;
  readonly backend: BackendReport | null;
  /** Why the backend that was asked for does not run; null when it does. */
  readonly problem: string | null;
  /** Package of the native backend, or null. */
  readonly native: string | null;
  /** Places searched for it, first match wins. */
  readonly searched: readonly string[];
  readonly advice: string;
}

/** Adds `kernelscope doctor`: which backend runs, why, and how to get a faster one. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('say which backend runs here and why')
    .addOption(
      new Option('--backend <name>', 'try this one only')
        .choices(['auto', 'native', 'wasm', 'cpu'])
        .default('auto'),
    )
    .option('--json', 'answer in JSON')
    .action(doctorAction);
}

async function doctorAction(options: Options): Promise<void> {
  const diagnosis = await diagnose(options.backend);
  process.stdout.write(
    options.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : `${linesOf(diagnosis).join('\n')}\n`,
  );
  if (diagnosis.problem) throw new FailureError(diagnosis.problem);
}

async function diagnose(preference: BackendPreference): Promise<Diagnosis> {
  let backend: BackendReport | null = null;
  let problem: string | null = null;
  try {
    backend = await useBackend(preference);
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const native = findNative();
  const advice =
    backend?.name === 'native'
      ? 'This is the fastest backend.'
      : native
        ? 'The native backend is there but was not used; "kernelscope doctor --backend native" says why, and "kernelscope native" sets it up anew.'
        : '"kernelscope native" sets up the native backend, which trains several times faster.';
  return {
    kernelscope: version,
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    backend,
    problem,
    native,
    searched: [...new Set(nativeCandidates())],
    advice,
  };
}

function linesOf(d: Diagnosis): string[] {
  const lines = [`Kernelscope ${d.kernelscope}, Node ${d.node}, ${d.platform}`];
  if (d.backend) {
    const versions = Object.entries(d.backend.versions)
      .filter(([name]) => name !== 'node')
      .map(([name, v]) => `${name} ${v}`);
    const threads = d.backend.threads === 1 ? 'one thread' : `${d.backend.threads} threads`;
    lines.push(`Backend: ${d.backend.name} (${[...versions, threads].join(', ')})`, d.backend.why);
  }
  lines.push(`Native package: ${d.native ?? 'none found'}`);
  if (!d.native) lines.push(...['Searched:', ...d.searched.map((place) => `  ${place}`)]);
  return [...lines, d.advice];
}
