import { InputError } from '../core/errors.js';
import type { DataSpec } from './definition.js';
import { parseValue } from './overrides.js';

/**
 * A data spec as text, for the command line: `kind[:what][?field=value&...]`. `digits`, `mnist:0,1?train=512&test=256`,
 * `csv:data/wine.csv?target=quality`, `npz:data.npz`, `teacher:10`, `gaussianMixture:10`.
 */
export function parseDataSpec(text: string): DataSpec {
  const match = /^([A-Za-z]+)(?::([^?]*))?(?:\?(.*))?$/.exec(text.trim());
  if (!match)
    throw new InputError(
      `--data is "${text}"; write kind[:what][?field=value], such as mnist:0,1?train=512.`,
      { field: 'data' },
    );
  const [, kind, what, query] = match;
  const fields: Record<string, unknown> = {};
  for (const part of (query ?? '').split('&').filter(Boolean)) {
    const [name, ...value] = part.split('=');
    fields[name] = parseValue(value.join('='));
  }
  const numbers = () => (what ? what.split(',').map(Number) : undefined);
  const base: Record<string, () => object> = {
    mnist: () => ({ digits: numbers() }),
    digits: () => ({ digits: numbers() }),
    teacher: () => ({ dimension: Number(what || 10) }),
    gaussianMixture: () => ({ dimension: Number(what || 10) }),
    csv: () => ({ path: what }),
    npz: () => ({ path: what }),
    npy: () => ({ path: what }),
  };
  if (!Object.hasOwn(base, kind))
    throw new InputError(`--data is "${text}"; the kind must be one of ${Object.keys(base).join(', ')}.`, {
      field: 'data',
    });
  const spec = { kind, ...base[kind](), ...fields };
  return Object.fromEntries(
    Object.entries(spec).filter(([, value]) => value !== undefined),
  ) as unknown as DataSpec;
}
