import * as v from 'valibot';
import { InputError } from '../core/errors.js';
import { say } from '../core/say.js';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const text = v.string();
/** JSON has no NaN: what is not finite is null. */
const measured = v.nullable(v.number());
const statuses = ['running', 'paused', 'finished', 'stopped', 'diverged', 'failed', 'interrupted'] as const;
const regimes = ['lazy', 'rich', 'in between', 'undetermined'] as const;

/** A time that dates can be made of. */
const time = v.pipe(
  text,
  v.check((value) => !Number.isNaN(Date.parse(value)), 'a time is wanted, such as 2026-01-31T12:00:00Z'),
);

const info = v.looseObject({
  name: text,
  source: v.looseObject({ file: text, exportName: text }),
  definition: v.record(text, v.unknown()),
  backend: v.looseObject({ name: text, why: text }),
  kind: v.optional(v.picklist(['trained', 'watched'])),
  // What a watched run cannot know is absent.
  steps: v.optional(count),
  learningRate: v.optional(measured),
  parameters: count,
  layers: v.array(text),
  probe: v.looseObject({ size: count, outputs: count, labels: v.array(v.number()) }),
  outputs: count,
  train: v.optional(count),
  test: v.optional(count),
  seed: v.optional(v.number()),
  startedAt: time,
});

const ended = v.looseObject({
  status: v.picklist(statuses.filter((status) => status !== 'running' && status !== 'paused')),
  step: v.number(),
  message: v.optional(text),
  summary: v.optional(
    v.looseObject({
      loss: v.looseObject({ train: measured, test: measured }),
      accuracy: measured,
      drift: measured,
      movement: v.record(text, measured),
      regime: v.picklist(regimes),
      seconds: measured,
    }),
  ),
});

/** run.json, as far as it is relied on; what else it holds is kept. */
export const runFileSchema = v.looseObject({
  schemaVersion: v.number(),
  kind: v.optional(v.picklist(['trained', 'watched'])),
  info,
  status: v.picklist(statuses),
  ended: v.optional(ended),
  request: v.looseObject({ overrides: v.record(text, v.unknown()), data: v.optional(text) }),
  pid: v.number(),
  source: v.looseObject({ sha256: text, gitCommit: v.nullable(text) }),
  fingerprint: v.optional(v.looseObject({ files: v.record(text, text), data: text, threads: v.number() })),
  versions: v.record(text, text),
  machine: v.looseObject({}),
  sweep: v.optional(text),
  cell: v.optional(text),
  label: v.optional(text),
  pinned: v.optional(v.boolean()),
  imported: v.optional(v.boolean()),
});

/** sweep.json, as far as others than the sweep itself read it. */
export const sweepFileSchema = v.looseObject({
  request: v.looseObject({
    file: text,
    export: v.optional(text),
    vary: v.array(text),
    set: v.array(text),
    seed: v.optional(text),
    data: v.optional(text),
  }),
  total: count,
  cells: v.array(v.looseObject({ id: text, status: text })),
});

/** Where a value is not as a schema wants it, as half a sentence: the field, what it is, what is wanted. Null where it is. */
export function mistakeIn(schema: v.GenericSchema, value: unknown): string | null {
  const result = v.safeParse(schema, value);
  if (result.success) return null;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? '';
  const found = issue.received.slice(0, 60);
  const wanted = issue.expected ?? issue.message;
  if (field !== '' && issue.input === undefined) return say`"${field}" is missing`;
  return field === '' ? say`it is ${found}` : say`"${field}" is ${found} where ${wanted} is wanted`;
}

/** The value as the schema has it. Throws an InputError with the file, the field and what it is. */
export function checked<T>(schema: v.GenericSchema, value: unknown, file: string): T {
  const mistake = mistakeIn(schema, value);
  if (mistake !== null)
    throw new InputError(
      `${file} is damaged: ${mistake}. Something else has changed it; restore it, or delete the folder.`,
      { file },
    );
  return value as T;
}
