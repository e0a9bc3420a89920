/**
 * The kernel of a two-layer network on 8192 inputs: time, and the most memory that the process held, the
 * kernel included. Exit code 1 above 2 GB.
 *
 *   npx esbuild test/bench/largeKernel.ts --bundle --platform=node --main-fields=module,main --external:@tensorflow/tfjs-node \
 *     --outfile=out/largeKernel.js
 *   cp dist/*.wasm out && node out/largeKernel.js [--backend wasm] [--inputs 8192] [--width 1024] [--dimension 784]
 */
import { parseArgs } from 'node:util';
import { peakMB, resetPeak } from '../../src/bench/memory.js';
import { useBackend } from '../../src/network/backends/index.js';
import type { BackendPreference } from '../../src/network/backends/report.js';
import { empiricalKernel } from '../../src/network/kernel/index.js';
import { buildModel } from '../../src/network/models/build.js';
import * as tf from '../../src/network/tf.js';

const { values: options } = parseArgs({
  options: {
    backend: { type: 'string', default: 'wasm' },
    inputs: { type: 'string', default: '8192' },
    width: { type: 'string', default: '1024' },
    dimension: { type: 'string', default: '784' },
  },
});
/** What the process may hold at most. */
const mostMB = 2048;

async function main(): Promise<void> {
  const [inputs, width, dimension] = [options.inputs, options.width, options.dimension].map(Number);
  const { name } = await useBackend(options.backend as BackendPreference);
  const { model } = buildModel(
    {
      kind: 'twoLayer',
      width,
      activation: 'tanh',
      scale: 'ntk',
      init: 'gaussian',
      thetaStart: 'inverse-dimension',
      bias: false,
      train: 'all',
    },
    { inputShape: [dimension], outputs: 1, seed: 1 },
  );
  const x = tf.randomNormal([inputs, dimension], 0, 1, 'float32', 1);
  resetPeak();
  const start = performance.now();
  const { data, rows } = await empiricalKernel(model, x);
  const seconds = (performance.now() - start) / 1000;
  const peak = peakMB();
  let trace = 0;
  for (let i = 0; i < rows; i++) trace += data[i * rows + i] / rows;
  console.log(
    `${name}: ${rows} x ${rows} in ${seconds.toFixed(1)} s, peak ${peak.toFixed(0)} MB of which the kernel ${(data.byteLength / 2 ** 20).toFixed(0)} MB; mean of the diagonal ${trace.toFixed(4)}`,
  );
  if (peak > mostMB) process.exitCode = 1;
}

void main().then(() => process.exit());
