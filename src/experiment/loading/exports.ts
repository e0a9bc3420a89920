import { InputError } from '../../core/errors.js';
import * as tf from '../../network/tf.js';
import { experimentMark } from '../builders.js';
import { parametersOf } from './parameters.js';

/** One thing of a model file that can be trained. */
export interface LoadedExport {
  readonly name: string;
  readonly kind: 'experiment' | 'builder';
  readonly value: unknown;
}

const isExperiment = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof tf.LayersModel) &&
  (experimentMark in value || ('model' in value && 'data' in value));

/** Experiments and builders among what a file exports, in its order. */
export function exportsOf(exports: unknown): LoadedExport[] {
  // module.exports = defineExperiment({...}), a function, or a model.
  if (isExperiment(exports)) return [{ name: 'default', kind: 'experiment', value: exports }];
  const whole = typeof exports === 'function' || exports instanceof tf.LayersModel;
  const named = Object.entries((exports ?? {}) as object).filter(([name]) => name !== '__esModule');
  const candidates = [
    ...(whole ? [['default', exports] as const] : []),
    ...(exports instanceof tf.LayersModel ? [] : named),
  ];
  const found = candidates.flatMap(([name, value]) => kindsOf(name, value));
  // One function under two names (module.exports.default = module.exports) is one export.
  return found.filter((e, i) => found.findIndex((other) => other.value === e.value) === i);
}

function kindsOf(name: string, value: unknown): LoadedExport[] {
  if (isExperiment(value)) return [{ name, kind: 'experiment', value }];
  if (value instanceof tf.LayersModel || holdsModel(value)) {
    const model = value instanceof tf.LayersModel ? value : (value as { model: tf.LayersModel }).model;
    return [{ name, kind: 'builder', value: modelHolder(model) }];
  }
  return typeof value === 'function' && makesModel(name, value) ? [{ name, kind: 'builder', value }] : [];
}

const holders = new WeakMap<tf.LayersModel, () => tf.LayersModel>();

/** A function that answers with a model that is there already; the same one for the same model. */
function modelHolder(model: tf.LayersModel): () => tf.LayersModel {
  const holder = holders.get(model) ?? (() => model);
  holders.set(model, holder);
  return holder;
}

const holdsModel = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (value as { model?: unknown }).model instanceof tf.LayersModel;

const builderName =
  /^(?:create|build|make|get|define|construct|new)\w*(?:model|network|net|cnn|rnn|lstm|gru|mlp|classifier|autoencoder|encoder|decoder|generator|discriminator|critic|actor|agent)\w*$/i;
/** Words that a helper's parameters have: it takes a model or data, so it is no builder. */
const takenByHelpers =
  /^(?:net|network|xs?|ys?|\w*data|\w*dataset|\w*tensors?|batch|samples?|weights|optimizer|layers?|prev\w*|history|logs?)$/i;
const construction =
  /(?:\.|\b)sequential(?:\.call)?\s*\(|\.model(?:\.call)?\s*\(|\.loadLayersModel(?:\.call)?\s*\(|\bLayersModel\s*\(/;

/** Whether a function gives a model: by its name, or because it makes one and hands it on. Helpers that only use one do not. */
function makesModel(name: string, value: object): boolean {
  const text = Function.prototype.toString.call(value);
  if (/^class\b/.test(text))
    return construction.test(text) || (value as { prototype?: unknown }).prototype instanceof tf.LayersModel;
  const needed = parametersOf(value as () => unknown).filter((p) => p.required);
  const own = (value as { name?: string }).name ?? '';
  if (needed.some((p) => p.name !== null && /model$/i.test(p.name))) return false;
  if (builderName.test(name) || builderName.test(own)) return true;
  if (needed.some((p) => p.name !== null && takenByHelpers.test(p.name))) return false;
  if (!construction.test(text) || /\.(?:fit|fitDataset|minimize|trainOnBatch)\s*\(/.test(text)) return false;
  const made = new RegExp(`(\\w+)\\s*=\\s*(?:await\\s+)?(?:[\\w$.]*)(?:${construction.source})`).exec(
    text,
  )?.[1];
  return (
    new RegExp(`(?:\\breturn\\b|=>)\\s*\\(?\\s*(?:await\\s+)?[\\w$.]*(?:${construction.source})`).test(
      text,
    ) ||
    (made !== undefined && new RegExp(`\\breturn\\b[^;\\n]*\\b${made}\\b|\\bthis\\.model\\b`).test(text))
  );
}

/** The export that was asked for; without a name the default one, the only one, or the only one named like a builder. */
export function chooseExport(file: string, exports: readonly LoadedExport[], name?: string): LoadedExport {
  if (exports.length === 0)
    throw new InputError(
      `${file} exports nothing to train. Export an experiment (export default defineExperiment({...})) or a function createModel() that returns a tf.LayersModel.`,
      { file },
    );
  const names = exports.map((e) => e.name).join(', ');
  if (name !== undefined) {
    const found = exports.find((e) => e.name === name);
    if (!found) throw new InputError(`${file} has no export "${name}" to train; it has ${names}.`, { file });
    return found;
  }
  const only = <T>(list: readonly T[]): T | undefined => (list.length === 1 ? list[0] : undefined);
  const chosen =
    exports.find((e) => e.name === 'default') ??
    only(exports) ??
    only(exports.filter((e) => /^(?:create|build)Model$/.test(e.name)));
  if (!chosen)
    throw new InputError(`${file} exports several experiments (${names}); choose one with --export NAME.`, {
      file,
    });
  return chosen;
}
