import { InputError } from '../../core/errors.js';
import { say } from '../../core/say.js';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type Fields = { readonly [key: string]: Json };

const isFields = (value: Json | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Slope of Keras 3's activation "leaky_relu", which its function has as default. */
const leakySlope = 0.2;

/** Whether a topology is spelt as Keras 3 spells it: objects name their module, inputs have a batch_shape. */
export function isKeras3(topology: unknown): boolean {
  const text = JSON.stringify(topology);
  return /"batch_shape"\s*:/.test(text) || /"module"\s*:\s*"keras/.test(text);
}

/**
 * A topology of Keras 3 in the spelling of Keras 2, which TensorFlow.js reads: the same network. What TensorFlow.js has in
 * another form (reset_after, hard_sigmoid, grouped convolutions ...) is an InputError that says what to do.
 */
export function toKeras2(topology: unknown, file: string): object {
  const fields = topology as Fields;
  const model = isFields(fields['model_config']) ? fields['model_config'] : fields;
  const converted = layerOf(model, file);
  return { keras_version: '2.15.0', backend: 'tensorflow', model_config: converted };
}

function refuse(file: string, name: string, what: string): never {
  throw new InputError(`${file}: the layer ${name} cannot be read: ${what}`, { file, field: 'model' });
}

/** A layer, or a model that is one, in the older spelling. */
function layerOf(layer: Fields, file: string): Fields {
  const className = String(layer['class_name']);
  const config = isFields(layer['config']) ? layer['config'] : {};
  if (className === 'Sequential') return sequential(layer, config, file);
  if (className === 'Functional' || className === 'Model') return functional(layer, config, file);
  const name = String(config['name'] ?? className);
  if (className === 'InputLayer') {
    const shape = config['batch_shape'] ?? config['batch_input_shape'];
    return {
      class_name: className,
      config: {
        batch_input_shape: shape ?? null,
        dtype: plain(config['dtype'] ?? 'float32'),
        sparse: false,
        name,
      },
    };
  }
  return layerFields(className, name, config, file);
}

function layerFields(className: string, name: string, config: Fields, file: string): Fields {
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(config)) {
    if (key === 'layer' || key === 'backward_layer' || key === 'cell')
      out[key] = isFields(value) ? layerOf(value, file) : value;
    else if (key === 'layers' || key === 'cells')
      out[key] = Array.isArray(value) ? value.map((inner) => layerOf(inner as Fields, file)) : value;
    else if (/activation$/.test(key)) out[key] = activation(value, name, file);
    else out[key] = plain(value);
  }
  const seed = out['seed'];
  if (isFields(seed)) out['seed'] = null;
  if (out['reset_after'] === true)
    refuse(
      file,
      name,
      say`TensorFlow.js has no GRU with reset_after. Train it with reset_after=False in Keras, or give the network as a model file.`,
    );
  if (typeof out['groups'] === 'number' && out['groups'] > 1)
    refuse(file, name, say`TensorFlow.js has no grouped convolutions. Use groups=1 in Keras.`);
  if (out['keepdims'] === true)
    refuse(
      file,
      name,
      say`TensorFlow.js has no keepdims here. Use keepdims=False and a Reshape layer in Keras.`,
    );
  if (className === 'LeakyReLU') {
    const { negative_slope: slope, ...rest } = out;
    return { class_name: className, config: { ...rest, alpha: rest['alpha'] ?? slope ?? 0.3 } };
  }
  if (
    className === 'ReLU' &&
    (Number(out['negative_slope'] ?? 0) !== 0 || Number(out['threshold'] ?? 0) !== 0)
  )
    refuse(
      file,
      name,
      say`TensorFlow.js has ReLU without negative_slope and threshold. Use LeakyReLU or ThresholdedReLU in Keras.`,
    );
  if (className === 'Activation' && out['activation'] === 'leaky_relu')
    return { class_name: 'LeakyReLU', config: { name, trainable: true, alpha: leakySlope } };
  return { class_name: className, config: out };
}

/** Names that TensorFlow.js spells otherwise; those that it computes otherwise are refused. */
function activation(value: Json, layer: string, file: string): Json {
  const name = isFields(value)
    ? String(isFields(value['config']) ? value['config'] : value['class_name'])
    : value;
  if (typeof name !== 'string') return plain(value);
  if (name === 'silu') return 'swish';
  if (/^hard_|^log_sigmoid$|_shrink$|^celu$|^glu$|^squareplus$|^sparse|^exponential$/.test(name))
    refuse(
      file,
      layer,
      say`TensorFlow.js has no activation "${name}" as Keras 3 computes it. Take another one, or give the network as a model file.`,
    );
  return name;
}

/** A value without Keras 3's wrapping: dtype policies are names, objects lose their module. */
function plain(value: Json): Json {
  if (Array.isArray(value)) return value.map(plain);
  if (!isFields(value)) return value;
  const { class_name: className, config } = value as Fields;
  if (className === 'DTypePolicy' && isFields(config)) return config['name'] ?? 'float32';
  if (className === '__tuple__' && Array.isArray(value['items'])) return value['items'].map(plain);
  if (typeof className === 'string' && config !== undefined) {
    const inner = isFields(config) ? plainFields(config) : plain(config);
    return {
      class_name: className,
      config: isFields(inner) && isFields(inner['seed']) ? { ...inner, seed: null } : inner,
    };
  }
  return plainFields(value);
}

const plainFields = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value)]));

/** The layer of an activation that TensorFlow.js only has as a layer, to be put behind; null for others. */
function behind(layer: Fields): Fields | null {
  const config = layer['config'] as Fields;
  if (layer['class_name'] === 'LeakyReLU' || config['activation'] !== 'leaky_relu') return null;
  const name = `${String(config['name'])}_activation`;
  return { class_name: 'LeakyReLU', name, config: { name, trainable: true, alpha: leakySlope } };
}

const withoutActivation = (layer: Fields): Fields => ({
  ...layer,
  config: { ...(layer['config'] as Fields), activation: 'linear' },
});

const named = (config: Fields, fallback: string): Json => config['name'] ?? fallback;

function sequential(layer: Fields, config: Fields, file: string): Fields {
  const layers = (config['layers'] as readonly Fields[]).flatMap((inner): Fields[] => {
    const converted = layerOf(inner, file);
    const after = behind(converted);
    return after ? [withoutActivation(converted), after] : [converted];
  });
  const first = layers[0]?.['config'] as Fields | undefined;
  const shape = config['build_input_shape'];
  // Keras 3 may leave the input out, and say only what the model was built with.
  if (
    first &&
    layers[0]['class_name'] !== 'InputLayer' &&
    !('batch_input_shape' in first) &&
    Array.isArray(shape)
  )
    layers.unshift({
      class_name: 'InputLayer',
      config: {
        batch_input_shape: shape,
        dtype: 'float32',
        sparse: false,
        name: `${String(named(config, 'model'))}_input`,
      },
    });
  return { ...outer(layer), class_name: 'Sequential', config: { name: named(config, 'sequential'), layers } };
}

function functional(layer: Fields, config: Fields, file: string): Fields {
  const replaced = new Map<string, string>();
  const layers = (config['layers'] as readonly Fields[]).flatMap((inner): Fields[] => {
    const name = String(inner['name'] ?? (inner['config'] as Fields)['name']);
    const converted = { ...layerOf(inner, file), name, inbound_nodes: nodesOf(inner, name, file) };
    const after = behind(converted);
    if (!after) return [converted];
    replaced.set(name, String(after['name']));
    const nodes = (converted.inbound_nodes as readonly Json[]).map((_, i) => [[name, i, 0, {}]]);
    return [withoutActivation(converted), { ...after, inbound_nodes: nodes }];
  });
  const rewired = layers.map((one) => {
    const inserted = [...replaced.values()].includes(String(one['name']));
    return inserted ? one : { ...one, inbound_nodes: renamed(one['inbound_nodes'], replaced) };
  });
  return {
    ...outer(layer),
    class_name: 'Model',
    config: {
      name: named(config, 'model'),
      layers: rewired,
      input_layers: ends(config['input_layers']),
      output_layers: renamed(ends(config['output_layers']), replaced),
    },
  };
}

/** What stands beside a nested model's config. */
const outer = (layer: Fields): Fields => (layer['name'] === undefined ? {} : { name: layer['name'] });

/** Inputs of every call of a layer as [[layer, call, output, kwargs], ...]. */
function nodesOf(layer: Fields, name: string, file: string): Json {
  const nodes = (layer['inbound_nodes'] ?? []) as readonly Json[];
  return nodes.map((node) => {
    if (!isFields(node)) return node;
    const tensors: Json[] = [];
    gather(node['args'], tensors);
    const more: Json[] = [];
    gather(node['kwargs'], more);
    if (more.length > 0)
      refuse(
        file,
        name,
        say`it is given inputs by name, which TensorFlow.js does not read. Give them in order in Keras.`,
      );
    return tensors;
  });
}

function gather(value: Json | undefined, out: Json[]): void {
  if (Array.isArray(value)) for (const inner of value) gather(inner, out);
  else if (isFields(value)) {
    if (value['class_name'] === '__keras_tensor__') {
      const [layer, call, output] = (value['config'] as Fields)['keras_history'] as readonly Json[];
      out.push([layer, call, output, {}]);
    } else for (const inner of Object.values(value)) gather(inner, out);
  }
}

const ends = (value: Json | undefined): Json =>
  Array.isArray(value) && typeof value[0] === 'string' ? [value] : (value ?? []);

/** References [layer, call, output, ...] to layers that something was put behind, turned to that. */
function renamed(value: Json | undefined, names: ReadonlyMap<string, string>): Json {
  if (!Array.isArray(value)) return value ?? [];
  if (typeof value[0] === 'string' && typeof value[1] === 'number')
    return [names.get(value[0]) ?? value[0], ...value.slice(1)];
  return value.map((inner) => renamed(inner, names));
}
