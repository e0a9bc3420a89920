import { beforeAll, describe, expect, it } from 'vitest';
import { empiricalKernel, explicitJacobian } from '../../src/network/kernel/index.js';
import * as tf from '../../src/network/tf.js';
import { inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { contracted, gap, traceOf } from '../helpers/kernels.js';
import { randomNetwork } from '../helpers/randomNetworks.js';

/** `KERNELSCOPE_NETWORKS=1000` draws more. */
const count = Number(process.env['KERNELSCOPE_NETWORKS'] ?? 200);

describe.each(backendsUnderTest)('kernels of random networks on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(Array.from({ length: count / 10 }, (_, k) => k))(
    'equal the explicit Jacobian: block %i',
    async (block) => {
      for (let number = 10 * block; number < 10 * (block + 1); number++) {
        const network = randomNetwork(number);
        const model = seeded(network);
        const x = inputs(network, 3, 7);
        const outputs = Array.from({ length: model.outputs[0].shape[1] as number }, (_, o) => o);
        const jacobian = explicitJacobian(model, x, outputs);
        const expected = contracted(jacobian, jacobian);
        const label = `${network.name}: ${model.layers.map((l) => l.getClassName()).join(' ')}`;
        const full = await empiricalKernel(model, x, { mode: 'full' });
        expect(
          full.notes.filter((note) => !note.startsWith('Batch normalisation')),
          label,
        ).toEqual([]);
        expect(gap(full.data, expected), label).toBeLessThan(2e-6);
        const trace = await empiricalKernel(model, x);
        expect(gap(trace.data, traceOf(expected, 3, 3, outputs.length)), label).toBeLessThan(2e-6);
        tf.dispose([jacobian, ...[x].flat()]);
        model.dispose();
      }
    },
  );
});
