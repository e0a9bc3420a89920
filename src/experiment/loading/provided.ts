import { FailureError } from '../../core/errors.js';
import * as tf from '../../network/tf.js';
import * as builders from '../builders.js';

/** A module as ES modules see it: its names, and all of them as the default. */
const asModule = (names: object): object =>
  Object.defineProperty({ ...names, default: names }, '__esModule', { value: true });

/** Whatever is asked of it, it answers with itself and does nothing: for drawing in a page that is not there. */
const nothing: unknown = new Proxy(() => undefined, {
  get: (_, key) => (key === 'then' ? undefined : key === Symbol.toPrimitive ? () => '' : nothing),
  apply: () => nothing,
  construct: () => nothing as object,
});

/** What only TensorFlow's own library has, with a sentence when it is used. */
const node = new Proxy(
  {},
  {
    get: (_, key) => () => {
      throw new FailureError(
        `tf.node.${String(key)} is part of @tensorflow/tfjs-node, which model files do not get here. Take it out of what makes the model.`,
      );
    },
  },
);

const union = asModule(tf);
const native = asModule({ ...tf, node });

/** Packages that model files find here, whatever is installed, by name. */
const provided: Readonly<Record<string, unknown>> = {
  kernelscope: asModule(builders),
  '@tensorflow/tfjs': union,
  '@tensorflow/tfjs-core': union,
  '@tensorflow/tfjs-layers': union,
  '@tensorflow/tfjs-data': asModule(tf.data),
  '@tensorflow/tfjs-converter': union,
  '@tensorflow/tfjs-node': native,
  '@tensorflow/tfjs-node-gpu': native,
  '@tensorflow/tfjs-vis': nothing,
};

/** Importing these chooses a backend or adds operations; the run's choice stands, and ours has the operations. */
const withoutEffect =
  /^@tensorflow\/(?:tfjs-backend-[\w-]+|tfjs-react-native|tfjs-core\/dist\/public\/chained_ops\/.*|tfjs-core\/dist\/register_all_gradients|tfjs-backend-[\w-]+\/.*|tfjs\/dist\/.*)$/;

/** What a package name stands for in a model file; undefined for those of the workspace. */
export function providedModule(name: string): unknown {
  if (name in provided) return provided[name];
  if (!withoutEffect.test(name)) return undefined;
  return name.startsWith('@tensorflow/tfjs/') ? union : asModule({});
}
