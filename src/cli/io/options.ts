import type { Command } from 'commander';
import { InputError } from '../../core/errors.js';
import { parseOverride } from '../../experiment/index.js';

export type BackendOption = 'auto' | 'native' | 'wasm' | 'cpu';

/** Options of every command that loads a model file. */
export interface ModelOptions {
  readonly export?: string;
  readonly set: readonly string[];
  readonly arg?: readonly string[];
  readonly seed?: string;
  readonly data?: string;
  readonly backend: BackendOption;
}

const gather = (value: string, all: readonly string[]): string[] => [...all, value];

export function modelOptions(command: Command): Command {
  return command
    .option('--export <name>', 'which export of the file (default: the default one, or the only one)')
    .option(
      '--set <path=value>',
      'override a field of the definition; may be given several times',
      gather,
      [],
    )
    .option(
      '--arg <name=value>',
      'an argument of the model builder, short for --set args.name=value; may be given several times',
      gather,
      [],
    )
    .option('--seed <n>', 'seed of data subset, start and batches')
    .option(
      '--data <spec>',
      'data for plain model builders, such as digits, mnist:0,1?train=512 or csv:file.csv',
    )
    .option('--backend <name>', 'auto, native, wasm or cpu', parseBackend, 'auto' as BackendOption);
}

export function parseBackend(name: string): BackendOption {
  if (name === 'auto' || name === 'native' || name === 'wasm' || name === 'cpu') return name;
  throw new InputError(`--backend is "${name}"; it must be auto, native, wasm or cpu.`, {
    field: '--backend',
  });
}

export function wholeNumber(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < least)
    throw new InputError(`${name} is "${text}"; it must be a whole number of at least ${least}.`, {
      field: name,
    });
  return value;
}

/** The overrides of --set, --arg and --seed by path. */
export function overridesOf(options: Pick<ModelOptions, 'set' | 'arg' | 'seed'>): Record<string, unknown> {
  const overrides: Record<string, unknown> = {};
  for (const text of options.set) {
    const { path, value } = parseOverride(text);
    overrides[path] = value;
  }
  for (const text of options.arg ?? []) {
    if (!/^[A-Za-z_$][\w$]*=/.test(text))
      throw new InputError(`--arg is "${text}"; write name=value, such as --arg units=16.`, {
        field: '--arg',
      });
    const { path, value } = parseOverride(text);
    overrides[`args.${path}`] = value;
  }
  if (options.seed !== undefined) overrides['seed'] = wholeNumber('--seed', options.seed);
  return overrides;
}

/** JSON has no NaN and no infinities: they become null. Typed arrays become lists. */
export function printJson(value: unknown, indent = 1): void {
  process.stdout.write(
    `${JSON.stringify(
      value,
      (_key, v: unknown) => {
        if (typeof v === 'number' && !Number.isFinite(v)) return null;
        return v instanceof Float64Array || v instanceof Float32Array ? Array.from(v) : v;
      },
      indent,
    )}\n`,
  );
}

export const short = (value: number | null | undefined, digits = 4): string =>
  value === null || value === undefined || Number.isNaN(value)
    ? '–'
    : String(Number(value.toPrecision(digits)));
