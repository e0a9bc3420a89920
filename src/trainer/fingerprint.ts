import { createHash } from 'node:crypto';
import path from 'node:path';
import { InputError } from '../core/errors.js';
import { type ResolvedExperiment, resolveExperiment } from '../experiment/index.js';
import type { BackendReport } from '../network/backends/index.js';
import type { Dataset } from '../network/data/index.js';
import { changedFields, type Fingerprint, type RunFile, sourceHash } from '../runs/index.js';

/** SHA-256 of everything that is trained and tested on. */
function dataHash({ train, test, inputShape, outputs }: Dataset): string {
  const hash = createHash('sha256').update(JSON.stringify([inputShape, outputs, train.size, test.size]));
  for (const { x, y } of [train, test])
    for (const part of [x, y]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex');
}

export function fingerprintOf(
  { file, sources }: ResolvedExperiment,
  data: Dataset,
  { threads }: BackendReport,
): Fingerprint {
  const folder = path.dirname(file);
  const name = (source: string) => path.relative(folder, source).split(path.sep).join('/');
  return {
    files: Object.fromEntries(sources.map((source) => [name(source), sourceHash(source)])),
    data: dataHash(data),
    threads,
  };
}

/** The definition as JSON can hold it: a builder function becomes its source text. */
export function plainDefinition(definition: ResolvedExperiment['definition']): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(definition, (_key, value) =>
      typeof value === 'function' ? { builder: String(value) } : value,
    ),
  ) as Record<string, unknown>;
}

interface Now {
  readonly experiment: ResolvedExperiment;
  readonly backend: BackendReport;
  readonly fingerprint: Fingerprint;
}

/**
 * A run goes on as what it was: what it was trained on must be the same, but for what is asked for now. Throws an
 * InputError that names what differs; called before anything of the run is opened for writing.
 */
export function requireSame(
  run: RunFile,
  { experiment, fingerprint }: Now,
  overrides: Readonly<Record<string, unknown>>,
): void {
  const asked = (field: string) => Object.keys(overrides).some((path) => `${field}.`.startsWith(`${path}.`));
  const definition = plainDefinition(experiment.definition);
  requireFields(run, experiment, asked);
  const { file } = experiment;
  const before = run.fingerprint;
  if (!before) return;
  if (before.data !== fingerprint.data && !asked('data'))
    throw new InputError(
      `The data of ${file} are not those that this run began with (their SHA-256 was ${before.data.slice(0, 12)} and is ${fingerprint.data.slice(0, 12)}), so going on would be another run. Restore the data, or start a new run.`,
      { file, field: 'data' },
    );
  // Values are compared above; what a function of the user does may lie in any file.
  if (!JSON.stringify(definition).includes('"builder":')) return;
  const names = [...new Set([...Object.keys(before.files), ...Object.keys(fingerprint.files)])];
  const edited = names.filter((name) => before.files[name] !== fingerprint.files[name]);
  if (edited.length > 0)
    throw new InputError(
      `${edited.slice(0, 5).join(', ')} changed since this run began, and its network is built by code of yours, so going on may be another run. Restore the file, or start a new run.`,
      { file },
    );
}

function requireFields(
  run: RunFile,
  { file, definition }: ResolvedExperiment,
  asked: (field: string) => boolean,
): void {
  const changed = changedFields(run.info.definition, plainDefinition(definition)).filter(
    (field) => !asked(field),
  );
  if (changed.length > 0)
    throw new InputError(
      `${file} has changed since this run began (${changed.slice(0, 5).join(', ')}), so going on would be another run. Restore the file, or start a new run.`,
      { file, field: changed[0] },
    );
}

/** The same for a run that has finished, which is left as it is: a model file that is gone or broken does not matter to it. */
export async function requireSameDefinition(run: RunFile): Promise<void> {
  const { file, exportName } = run.info.source;
  let experiment: ResolvedExperiment;
  try {
    const { overrides, data } = run.request;
    experiment = await resolveExperiment({ file, exportName: exportName || undefined, overrides, data });
  } catch {
    return;
  }
  requireFields(run, experiment, () => false);
}

/** In what the machine differs from that of the run's beginning, as a sentence; null where it does not. */
export function otherMachine(run: RunFile, { backend, fingerprint }: Now): string | null {
  const differences = [
    ...Object.entries(backend.versions)
      .filter(([name, version]) => run.versions[name] !== undefined && run.versions[name] !== version)
      .map(([name, version]) => `${name} ${run.versions[name]} → ${version}`),
    ...(run.fingerprint && run.fingerprint.threads !== fingerprint.threads
      ? [`threads ${run.fingerprint.threads} → ${fingerprint.threads}`]
      : []),
  ];
  if (differences.length === 0) return null;
  return `The run goes on under other circumstances (${differences.join(', ')}), so its numbers may differ in the last digits from those of a run in one piece.`;
}
