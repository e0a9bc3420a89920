import { type Parameter, parametersOf } from './loading/parameters.js';

/** What the data says of a model: shape of one input without the batch axis, and number of outputs, as far as known. */
export interface ModelSize {
  readonly inputShape?: readonly number[];
  readonly outputs?: number;
}

export interface ArgumentRequest extends ModelSize {
  /** Values given by name (`--arg units=16`). */
  readonly args: Readonly<Record<string, unknown>>;
  /** The TensorFlow.js namespace. */
  readonly tf: object;
  /** Of an experiment, whose `model` is given tf whatever its parameter is called. */
  readonly takesTf: boolean;
}

export interface Arguments {
  readonly values: readonly unknown[];
  /** `name = value` of what was taken from the data. */
  readonly fromData: readonly string[];
  /** Parameters that nothing is known for. */
  readonly missing: readonly string[];
  /** Every parameter's name. */
  readonly names: readonly string[];
}

const inputShapes = /^(?:in|input|inputs|image|img|data|x)?shape$|^inputdims$/;
const inputSizes =
  /^(?:in|inputs?|features?)(?:dim|dims|size|count|len|length|units|features|channels)$|^(?:n|num|numberof)(?:input)?(?:features|inputs|feats)$|^(?:features|nin|din)$/;
const outputSizes =
  /^(?:n|num|numberof)?(?:classes|labels|categories|outputs)$|^(?:output|out|outputs|class|label)(?:dim|dims|size|units|count|length|features)$|^nout$|^nclass$|^numclass$/;
const imageAxes: Readonly<Record<string, number>> = {
  height: 0,
  imageheight: 0,
  imgheight: 0,
  inputheight: 0,
  rows: 0,
  width: 1,
  imagewidth: 1,
  imgwidth: 1,
  inputwidth: 1,
  cols: 1,
  channels: 2,
  imagechannels: 2,
  imgchannels: 2,
  numchannels: 2,
  nchannels: 2,
  depth: 2,
};
const sequenceAxes: Readonly<Record<string, number>> = {
  timesteps: 0,
  sequencelength: 0,
  seqlength: 0,
  seqlen: 0,
  maxlen: 0,
  windowsize: 0,
  lookback: 0,
};

/** What a name means by the data; undefined where it means nothing, or the data does not say. */
function meantBy(name: string, { inputShape, outputs }: ModelSize): unknown {
  const key = name.toLowerCase().replace(/[_$]/g, '');
  if (inputShapes.test(key)) return inputShape && [...inputShape];
  if (outputSizes.test(key)) return outputs;
  if (inputShape?.length === 3 && key in imageAxes) return inputShape[imageAxes[key]];
  if (inputShape?.length === 2 && key in sequenceAxes) return inputShape[sequenceAxes[key]];
  if (inputSizes.test(key) && inputShape && inputShape.length > 0) return inputShape[inputShape.length - 1];
  return undefined;
}

/**
 * The arguments that a builder is called with: those given by name first, its own defaults, the tf namespace, then what
 * the names mean by the data (inputShape, numClasses, ...).
 */
export function argumentsFor(builder: (...values: never[]) => unknown, request: ArgumentRequest): Arguments {
  const parameters = parametersOf(builder);
  const text = Function.prototype.toString.call(builder);
  const fromData: string[] = [];
  const missing: string[] = [];
  const names: string[] = [];
  const take = (name: string): unknown => {
    const value = meantBy(name, request);
    if (value !== undefined) fromData.push(`${name} = ${JSON.stringify(value)}`);
    return value;
  };
  const values = parameters.map((parameter, i): unknown => {
    if (parameter.rest) return undefined;
    if (parameter.name === null) return object(parameter, request, take, names, missing);
    names.push(parameter.name);
    if (parameter.name in request.args) return request.args[parameter.name];
    if (isTf(parameter, text) && parameter.required) return request.tf;
    if (!parameter.required) return undefined;
    const value = take(parameter.name);
    if (value !== undefined) return value;
    if (i === 0 && request.takesTf) return request.tf;
    missing.push(parameter.name);
    return undefined;
  });
  while (values.length > 0 && values[values.length - 1] === undefined) values.pop();
  return { values, fromData, missing, names };
}

/** Whether a parameter is the tf namespace: by its name, or because its layers and models are used. */
function isTf({ name }: Parameter, text: string): boolean {
  if (name === null) return false;
  if (/^_?(?:tf\w{0,4}|tensorflow)$/i.test(name)) return true;
  const plain = name.replace(/\$/g, '\\$');
  return new RegExp(`\\b${plain}\\.(?:sequential|model|input|layers|train|tensor\\w*)\\b\\s*[.(]`).test(text);
}

/** An options object with what is given, or known by the data, of its properties; `{ layers, sequential }` of tf is tf. */
function object(
  parameter: Parameter,
  request: ArgumentRequest,
  take: (name: string) => unknown,
  names: string[],
  missing: string[],
): unknown {
  const { fields } = parameter;
  if (
    fields.some(({ name }) => /^(?:sequential|layers)$/.test(name)) &&
    fields.every(({ name }) => name in request.tf)
  )
    return request.tf;
  const out: Record<string, unknown> = {};
  for (const { name, required } of fields) {
    names.push(name);
    if (name in request.args) out[name] = request.args[name];
    else if (required) {
      const value = take(name);
      if (value !== undefined) out[name] = value;
      else if (parameter.required) missing.push(name);
    }
  }
  return parameter.required || Object.keys(out).length > 0 ? out : undefined;
}
