import { InputError } from '../core/errors.js';
import type { DataSpec } from './definition.js';
import { parseValue } from './overrides.js';

/**
 * A data spec as text, for the command line: `kind[:what][?field=value&...]`. `digits`, `mnist:0,1?train=512&test=256`,
 * `csv:data/wine.csv?target=quality`, `npz:data.npz`, `teacher:10`, `gaussianMixture:10`, `images:folder`. A path alone
 * has the kind of its ending.
 */
export function parseDataSpec(given: string): DataSpec {
  const text = withKind(given.trim());
  const match = /^([A-Za-z]+)(?::([^?]*))?(?:\?(.*))?$/.exec(text);
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
    images: () => ({ path: what }),
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

/** A path that ends like a file of data, with the kind that it is of. */
function withKind(text: string): string {
  const [path] = text.split('?');
  if (/^(?:mnist|digits|teacher|gaussianMixture|csv|npz|npy|images)(?::|$)/.test(path)) return text;
  if (/\.(?:csv|tsv|tab|txt|data|dat)(?:\.gz)?$/i.test(path)) return `csv:${text}`;
  return /\.npz$/i.test(path) ? `npz:${text}` : text;
}
