import * as v from 'valibot';
import { InputError } from '../core/errors.js';
import { say } from '../core/say.js';
import { activationNames, type ExperimentDefinition, parameterizationNames } from './definition.js';

/** A number that a field accepts, with words for what is allowed. */
const count = (least = 1) =>
  v.pipe(
    v.number(`must be a whole number`),
    v.integer('must be a whole number'),
    v.minValue(least, `must be at least ${least}`),
  );
const positive = () =>
  v.pipe(v.number('must be a number'), v.finite('must be finite'), v.gtValue(0, 'must be above 0'));
const atLeastZero = () =>
  v.pipe(v.number('must be a number'), v.finite('must be finite'), v.minValue(0, 'must be 0 or more'));
const oneOf = <const T extends readonly string[]>(names: T) =>
  v.picklist(names, `must be one of ${names.map((n) => `'${n}'`).join(', ')}`);
const flag = () => v.boolean('must be true or false');

const scale = v.union(
  [
    v.picklist(['ntk', 'mean-field', 'standard']),
    v.pipe(v.string(), v.regex(/^m\^-?\d*\.?\d+$/)),
    v.pipe(v.number(), v.finite(), v.gtValue(0)),
  ],
  "must be 'ntk', 'mean-field', 'standard', a power of the width such as 'm^0.3', or a number above 0",
);

const common = {
  activation: v.optional(oneOf(activationNames), 'tanh'),
  train: v.optional(oneOf(['all', 'readout', 'tangent'] as const), 'all'),
};

const modelSchema = v.variant(
  'kind',
  [
    v.strictObject({
      kind: v.literal('twoLayer'),
      width: count(),
      scale: v.optional(scale, 'ntk'),
      init: v.optional(oneOf(['gaussian', 'symmetric'] as const), 'symmetric'),
      thetaStart: v.optional(oneOf(['inverse-dimension', 'unit'] as const), 'inverse-dimension'),
      bias: v.optional(flag(), false),
      ...common,
    }),
    v.strictObject({
      kind: v.literal('mlp'),
      hidden: v.pipe(
        v.array(count(), 'must be a list of widths, such as [512, 512]'),
        v.minLength(1, 'must name at least one width'),
      ),
      parameterization: v.optional(oneOf(parameterizationNames), 'ntk'),
      sigmaW: v.optional(positive(), 1),
      sigmaB: v.optional(atLeastZero(), 0),
      bias: v.optional(flag(), false),
      init: v.optional(oneOf(['gaussian', 'symmetric'] as const), 'gaussian'),
      ...common,
    }),
    v.strictObject({
      kind: v.literal('residual'),
      width: count(),
      depth: count(),
      blockScale: v.optional(
        v.union(
          [v.picklist(['1/L', '1/sqrt(L)']), positive()],
          "must be '1/L', '1/sqrt(L)' or a number above 0",
        ),
        '1/L',
      ),
      init: v.optional(oneOf(['independent', 'equal'] as const)),
      ...common,
    }),
  ],
  'must be made by twoLayer(...), mlp(...) or residual(...), or be a function (tf) => tf.LayersModel',
);

const subset = { train: v.optional(count()), test: v.optional(count()), seed: v.optional(count(0)) };
const classes = v.optional(
  v.pipe(
    v.array(count(0), 'must be a list of classes, such as [0, 1]'),
    v.minLength(2, 'must name at least two classes'),
  ),
);
const shape = v.optional(oneOf(['flat', 'image'] as const));
const task = v.optional(oneOf(['regression', 'classification'] as const));
const missing = v.optional(oneOf(['drop', 'mean'] as const));
const oneSign = "must be one sign, such as ';'";
const arrayName = v.optional(v.string('must be the name of an array'));
const arrays = { x: arrayName, y: arrayName, xTest: arrayName, yTest: arrayName, task, missing };
const column = v.union([v.string(), count(0)], 'must be the name or the index of a column');
const path = () => v.pipe(v.string('must be a path'), v.minLength(1, 'must be a path'));

const dataSchema = v.variant(
  'kind',
  [
    v.strictObject({
      kind: v.literal('mnist'),
      digits: classes,
      path: v.optional(path()),
      shuffleLabels: v.optional(flag()),
      shape,
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('digits'),
      digits: classes,
      shuffleLabels: v.optional(flag()),
      shape,
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('teacher'),
      dimension: count(),
      target: v.optional(oneOf(['tanh', 'interaction', 'network'] as const), 'tanh'),
      slope: v.optional(v.number('must be a number')),
      neurons: v.optional(
        v.strictObject({
          theta: v.array(v.array(v.number('must be a number')), 'must be a list of vectors'),
          u: v.array(v.number('must be a number'), 'must be a list of numbers'),
          activation: v.optional(oneOf(activationNames), 'tanh'),
        }),
      ),
      inputs: v.optional(oneOf(['normal', 'sphere'] as const)),
      inputScale: v.optional(positive()),
      noise: v.optional(atLeastZero()),
      shuffleLabels: v.optional(flag()),
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('gaussianMixture'),
      dimension: count(),
      classes: v.optional(count(2), 2),
      separation: v.optional(atLeastZero(), 2),
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('csv'),
      path: path(),
      target: v.optional(
        v.union([column, v.array(column)], 'must be the name or the index of a column, or a list of them'),
      ),
      task,
      standardize: v.optional(flag()),
      delimiter: v.optional(v.pipe(v.string(oneSign), v.length(1, oneSign))),
      header: v.optional(flag()),
      missing,
      ignore: v.optional(v.array(column, 'must be a list of names or indexes of columns')),
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('npz'),
      path: path(),
      targetPath: v.optional(path()),
      ...arrays,
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('npy'),
      path: path(),
      targetPath: v.optional(path()),
      ...arrays,
      ...subset,
    }),
    v.strictObject({
      kind: v.literal('images'),
      path: path(),
      size: v.optional(v.tuple([count(), count()], 'must be a height and a width, such as [32, 32]')),
      channels: v.optional(v.picklist([1, 3], 'must be 1 (grey) or 3 (colour)')),
      shape,
      ...subset,
    }),
  ],
  'must be made by mnist(...), digits(...), teacher(...), gaussianMixture(...), csv(...), npy(...), npz(...) or images(...), or be a function (tf) => ({ x, y })',
);

const learningRate = v.union([v.literal('auto'), positive()], "must be 'auto' or a number above 0");
const optimizerSchema = v.strictObject({
  kind: v.optional(oneOf(['sgd', 'momentum', 'adam'] as const), 'sgd'),
  learningRate: v.optional(learningRate, 'auto'),
  momentum: v.optional(
    v.pipe(v.number('must be a number'), v.minValue(0, 'must be 0 or more'), v.ltValue(1, 'must be below 1')),
  ),
  ratio: v.optional(
    v.union(
      [v.picklist(['equal', 'alpha', 'm/alpha']), positive()],
      "must be 'equal', 'alpha', 'm/alpha' or a number above 0",
    ),
  ),
  stepScale: v.optional(oneOf(['none', 'm', 'm/alpha^2'] as const)),
  beta1: v.optional(
    v.pipe(v.number('must be a number'), v.minValue(0, 'must be 0 or more'), v.ltValue(1, 'must be below 1')),
  ),
  beta2: v.optional(
    v.pipe(v.number('must be a number'), v.minValue(0, 'must be 0 or more'), v.ltValue(1, 'must be below 1')),
  ),
  epsilon: v.optional(positive()),
});

const builder = v.custom<ExperimentDefinition['model']>((value) => typeof value === 'function');
const dataFunction = v.custom<ExperimentDefinition['data']>((value) => typeof value === 'function');

const experimentSchema = v.strictObject({
  name: v.optional(v.string('must be text')),
  expect: v.optional(oneOf(['lazy', 'rich'] as const)),
  model: v.lazy((value) => (typeof value === 'function' ? builder : modelSchema)),
  data: v.lazy((value) => (typeof value === 'function' ? dataFunction : dataSchema)),
  loss: v.optional(oneOf(['mse', 'crossEntropy'] as const), 'mse'),
  optimizer: v.optional(optimizerSchema, {}),
  steps: v.optional(count(), 1000),
  batch: v.optional(v.union([v.literal('full'), count()], "must be 'full' or a number of samples"), 'full'),
  probe: v.optional(count(2), 64),
  seed: v.optional(count(0), 0),
  args: v.optional(v.record(v.string(), v.unknown(), 'must be an object with a value a name')),
  regularization: v.optional(
    v.strictObject({
      all: v.optional(atLeastZero()),
      readout: v.optional(atLeastZero()),
      features: v.optional(atLeastZero()),
    }),
  ),
  noise: v.optional(
    v.strictObject({
      temperature: atLeastZero(),
      on: v.optional(oneOf(['all', 'readout', 'features'] as const)),
    }),
  ),
  stop: v.optional(
    v.strictObject({
      lossFraction: v.optional(positive()),
      loss: v.optional(positive()),
      time: v.optional(positive()),
    }),
  ),
  measure: v.optional(
    v.strictObject({
      kernels: v.optional(count(0), 24),
      every: v.optional(count()),
      twin: v.optional(flag()),
      sharpness: v.optional(flag()),
      landscape: v.optional(flag()),
      particles: v.optional(flag()),
      metricsEvery: v.optional(count()),
      checkpointEvery: v.optional(count()),
    }),
    {},
  ),
});

const show = (value: unknown): string => {
  if (typeof value === 'function') return say`a function`;
  const text = JSON.stringify(value);
  return text === undefined ? String(value) : text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

/** The allowed name closest to a wrong one, if it is close. */
export function nearest(name: string, allowed: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of allowed) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase());
    if (d < least) {
      least = d;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}

type Entries = Readonly<Record<string, unknown>>;

interface OpenSchema {
  readonly type?: string;
  readonly entries?: Entries;
  readonly wrapped?: OpenSchema;
  readonly options?: readonly { readonly entries: { readonly kind: { readonly literal: unknown } } }[];
  readonly getter?: (input: unknown) => OpenSchema;
}

/** The schema of what a path leads to in an input, with optional, lazy and variant ones opened on the way. */
function schemaAt(input: unknown, path: readonly string[]): OpenSchema | undefined {
  let schema: OpenSchema | undefined = experimentSchema as unknown as OpenSchema;
  let value = input;
  for (const key of path) {
    schema = opened(schema, value)?.entries?.[key] as OpenSchema | undefined;
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return schema;
}

function opened(schema: OpenSchema | undefined, value: unknown): OpenSchema | undefined {
  if (schema?.type === 'optional') return opened(schema.wrapped, value);
  if (schema?.type === 'lazy') return opened(schema.getter?.(value), value);
  if (schema?.type !== 'variant') return schema;
  const kind = (value as { kind?: unknown } | undefined)?.kind;
  return schema.options?.find((option) => option.entries.kind.literal === kind) as OpenSchema | undefined;
}

/** Fields of the object that a path leads to. */
function fieldsAt(input: unknown, path: readonly string[]): string[] {
  const value = path.reduce<unknown>((v, key) => (v as Record<string, unknown> | undefined)?.[key], input);
  return Object.keys(opened(schemaAt(input, path), value)?.entries ?? {});
}

/** What is said of a field that is missing: the rule of its schema. */
function ruleAt(input: unknown, path: readonly string[]): string {
  const schema = schemaAt(input, path);
  const result = schema && v.safeParse(schema as v.GenericSchema, undefined);
  return result?.success === false ? result.issues[0].message : '';
}

const isUnknownKey = (issue: { type: string; expected?: string | null }): boolean =>
  issue.type === 'strict_object' && issue.expected === 'never';

/**
 * Checks a definition and fills in the defaults. Throws an InputError that names the field, its value and what is
 * allowed; `where` (the model file) is put in front.
 */
export function resolveDefinition(input: unknown, where = ''): ExperimentDefinition {
  const prefix = where ? `${where}: ` : '';
  const result = v.safeParse(experimentSchema, input, { abortPipeEarly: true });
  if (result.success) return result.output as ExperimentDefinition;
  // A misspelt name shows as one that is unknown and often as one that is missing: the first says more.
  const issue = result.issues.find(isUnknownKey) ?? result.issues[0];
  const path = (issue.path ?? []).map((item) => String(item.key));
  const field = path.join('.');
  if (isUnknownKey(issue)) {
    const name = path[path.length - 1];
    const allowed = fieldsAt(input, path.slice(0, -1));
    const near = nearest(name, allowed);
    throw new InputError(
      `${prefix}there is no field "${field}".${near ? ` Did you mean "${[...path.slice(0, -1), near].join('.')}"?` : ''} Allowed here: ${allowed.join(', ')}.`,
      { field },
    );
  }
  const missing =
    issue.input === undefined || (issue.type === 'strict_object' && issue.received === 'undefined');
  const fields = issue.type === 'strict_object' && !missing ? fieldsAt(input, path) : [];
  const stated =
    fields.length > 0
      ? `must be an object with the fields ${fields.join(', ')}`
      : missing
        ? ruleAt(input, path)
        : issue.message;
  const rule = stated.startsWith('must') ? stated : `must be ${issue.expected ?? 'something else'}`;
  throw new InputError(
    missing
      ? `${prefix}${field || 'the experiment'} is missing; it ${rule}.`
      : `${prefix}${field || 'the experiment'} is ${show(issue.input)}; it ${rule}.`,
    { field },
  );
}
