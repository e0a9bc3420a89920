import { addonOf, packageFolder } from './build.js';
import { complaint, runProcess } from './process.js';

export interface Proof {
  /** Version of the TensorFlow library behind the addon. */
  readonly tensorflow: string;
  readonly tfjs: string;
}

// Node 23 removed two functions of `util` that the package calls.
const script = `
const util = require('node:util');
util.isNullOrUndefined ??= (v) => v === null || v === undefined;
util.isArray ??= Array.isArray;
const tf = require(process.argv[1]);
const product = tf.matMul(tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([5, 6, 7, 8], [2, 2]));
console.log('PROOF' + JSON.stringify({
  backend: tf.getBackend(), values: Array.from(product.dataSync()),
  tensorflow: tf.backend().binding.TF_Version, tfjs: tf.version_core }));
`;

/** Multiplies two matrices with a native package in a process of its own; a string is the reason why it does not work. */
export async function prove(home: string): Promise<Proof | string> {
  const folder = packageFolder(home);
  if (!addonOf(folder)) return 'its addon is not there';
  const result = await runProcess(process.execPath, ['-e', script, folder], {
    env: { ELECTRON_RUN_AS_NODE: '1', TF_CPP_MIN_LOG_LEVEL: '3' },
    timeoutMs: 60_000,
  });
  const line = result.stdout.split('\n').find((text) => text.startsWith('PROOF'));
  if (result.code !== 0 || !line) return complaint(result);
  const answer = JSON.parse(line.slice(5)) as Proof & { backend: string; values: number[] };
  if (answer.backend !== 'tensorflow') return `it started the ${answer.backend} backend`;
  if (answer.values.join() !== '19,22,43,50')
    return `a 2 x 2 product came out as ${answer.values.join(', ')}`;
  return { tensorflow: answer.tensorflow, tfjs: answer.tfjs };
}
