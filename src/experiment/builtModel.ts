import { readFileSync } from 'node:fs';
import { InputError } from '../core/errors.js';
import { say } from '../core/say.js';
import * as tf from '../network/tf.js';
import { argumentsFor, type ModelSize } from './builderArguments.js';
import type { ModelBuilder } from './definition.js';
import { placed } from './loading/errors.js';
import { runForeign } from './loading/foreignCode.js';

export interface BuilderRequest extends ModelSize {
  readonly file: string;
  /** Name of the export, for messages. */
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The `model` of an experiment, which is given tf whatever its parameter is called. */
  readonly ofExperiment: boolean;
}

export interface MadeModel {
  readonly model: tf.LayersModel;
  /** What was guessed, in sentences. */
  readonly notes: readonly string[];
}

type Builder = (...values: unknown[]) => unknown;

/**
 * Calls a builder of a model file, whatever form it has: with arguments, async, a class with a `model` or a `build()`.
 * Throws an InputError that names the argument nothing is known for, or what came back in the place of a model.
 */
export async function modelOf(builder: ModelBuilder, request: BuilderRequest): Promise<MadeModel> {
  const { file } = request;
  const notes: string[] = [];
  const make = builder as Builder;
  try {
    const named = { ...request, name: make.name || request.name };
    const returned = await runForeign(file, false, () => called(make, named, notes));
    return { model: complete(await modelIn(returned, named, notes), named), notes };
  } catch (error) {
    throw placed(file, error);
  }
}

function called(make: Builder, request: BuilderRequest, notes: string[], self?: unknown): unknown {
  const { file, name, args, ofExperiment } = request;
  const { values, fromData, missing, names } = argumentsFor(make, {
    ...request,
    tf,
    takesTf: ofExperiment,
  });
  const unknown = Object.keys(args).find((given) => !names.includes(given));
  if (unknown !== undefined)
    throw new InputError(
      `${file}: --arg ${unknown}: the builder ${name} takes (${names.join(', ')}), but no ${unknown}.`,
      { file, field: `args.${unknown}` },
    );
  if (missing.length > 0) {
    const line = lineOf(file, make.name || name);
    throw new InputError(
      `${file}${line ? `:${line}` : ''}: the builder ${name} takes (${names.join(', ')}), and nothing says what ${missing.join(' and ')} should be. Give it by ${missing.map((n) => `--arg ${n}=VALUE`).join(' ')}, or give it a default in the file.`,
      { file, ...(line ? { line } : {}), field: `args.${missing[0]}` },
    );
  }
  if (fromData.length > 0) notes.push(say`${name} is given ${fromData.join(', ')}, as the data has it.`);
  return isClass(make) ? Reflect.construct(make, values) : make.apply(self, [...values]);
}

const isClass = (value: Builder): boolean => /^class\b/.test(Function.prototype.toString.call(value));

/** Line (from 1) on which a function is declared. */
function lineOf(file: string, name: string): number | undefined {
  try {
    const lines = readFileSync(file, 'utf8').split(/\r?\n/);
    const plain = name === 'default' ? 'default' : name.replace(/\$/g, '\\$');
    const at = lines.findIndex(
      (line) =>
        new RegExp(`\\b${plain}\\b\\s*(?:[=:(]|$|function|\\w)`).test(line) && !/^\s*(?:\/\/|\*)/.test(line),
    );
    return at < 0 ? undefined : at + 1;
  } catch {
    return undefined;
  }
}

/** The model that a builder's answer is, or holds. */
async function modelIn(returned: unknown, request: BuilderRequest, notes: string[]): Promise<tf.LayersModel> {
  const { file, name } = request;
  if (returned instanceof tf.LayersModel) return returned;
  if (typeof returned === 'object' && returned !== null) {
    const held = Object.entries(returned).filter(([, value]) => value instanceof tf.LayersModel);
    const main = held.find(([key]) => key === 'model') ?? (held.length === 1 ? held[0] : undefined);
    if (main) {
      if (held.length > 1)
        notes.push(say`${name} gives ${held.map(([key]) => key).join(', ')}; model is taken.`);
      return main[1] as tf.LayersModel;
    }
    if (held.length > 1)
      throw new InputError(
        `${file}: the builder ${name} gives several models (${held.map(([key]) => key).join(', ')}). Export a function for the one that is meant.`,
        { file, field: 'model' },
      );
    for (const method of ['createModel', 'buildModel', 'build', 'create', 'getModel']) {
      const make = (returned as Record<string, unknown>)[method];
      if (typeof make !== 'function') continue;
      const made = await runForeign(file, false, () =>
        called(make as Builder, { ...request, name: method }, notes, returned),
      );
      const model = made instanceof tf.LayersModel ? made : (returned as { model?: unknown }).model;
      if (model instanceof tf.LayersModel) return model;
    }
    if (typeof (returned as { predict?: unknown }).predict === 'function')
      throw new InputError(
        `${file}: the builder ${name} gives a model that is no tf.LayersModel of this TensorFlow.js: a graph model, or one of another copy. Import tf from '@tensorflow/tfjs' and build layers models.`,
        { file, field: 'model' },
      );
  }
  throw new InputError('The model builder must return a tf.LayersModel (from tf.sequential or tf.model).', {
    file,
    field: 'model',
  });
}

/** A model without layers, or without its input, cannot be looked at. */
function complete(model: tf.LayersModel, { file, name }: BuilderRequest): tf.LayersModel {
  if (model.layers.length === 0 || !model.inputs || model.inputs.length === 0)
    throw new InputError(`${file}: the model of ${name} has no layers.`, { file, field: 'model' });
  return model;
}
