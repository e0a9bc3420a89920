import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { empiricalKernel, explicitJacobian, outputCount } from '../../src/network/tangent/index.js';
import * as tf from '../../src/network/tf.js';
import { architectures, inputs, seeded } from '../helpers/architectures.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';

/** Largest difference relative to the largest entry. */
function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < a.length; i++) {
    worst = Math.max(worst, Math.abs(a[i] - b[i]));
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return worst / scale;
}

/** Full kernel in float64 from the explicit Jacobians. */
function contract(left: tf.Tensor2D, right: tf.Tensor2D): Float64Array {
  const [a, b] = [left.dataSync(), right.dataSync()];
  const [n, p] = left.shape;
  const m = right.shape[0];
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < p; k++) sum += a[i * p + k] * b[j * p + k];
      out[i * m + j] = sum;
    }
  return out;
}

function traceOf(full: Float64Array, n: number, m: number, outputs: number): Float64Array {
  const out = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++)
      for (let o = 0; o < outputs; o++)
        out[i * m + j] += full[(i * outputs + o) * m * outputs + j * outputs + o] / outputs;
  return out;
}

describe.each(backendsUnderTest)('empirical kernel on %s', (backend) => {
  beforeAll(() => startBackend(backend));
  const before: number[] = [];
  afterAll(() => expect(before.every((n) => n === 0)).toBe(true));

  it.each(architectures.map((c) => [c.name, c] as const))(
    'equals the explicit Jacobian: %s',
    async (_name, test) => {
      const model = seeded(test);
      const [n, m] = [5, 3];
      const [x, y] = [inputs(test, n, 1), inputs(test, m, 2)];
      const outputs = Array.from({ length: outputCount(model) }, (_, o) => o);
      const [jx, jy] = [explicitJacobian(model, x, outputs), explicitJacobian(model, y, outputs)];
      const held = tf.memory().numTensors;
      const full = contract(jx, jx);
      const fullKernel = await empiricalKernel(model, x, { mode: 'full', blockRows: 2 });
      expect(gap(fullKernel.data, full)).toBeLessThan(1e-5);
      const trace = await empiricalKernel(model, x, { perLayer: true });
      expect(gap(trace.data, traceOf(full, n, n, outputs.length))).toBeLessThan(1e-5);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) expect(trace.data[i * n + j]).toBe(trace.data[j * n + i]);
      const parts = Object.values(trace.perLayer ?? {});
      expect(
        gap(
          trace.data.map((_, k) => parts.reduce((sum, part) => sum + part[k], 0)),
          trace.data,
        ),
      ).toBeLessThan(1e-5);
      const rectangle = await empiricalKernel(model, x, { against: y });
      expect(gap(rectangle.data, traceOf(contract(jx, jy), n, m, outputs.length))).toBeLessThan(1e-5);
      const last = outputs.length - 1;
      const one = await empiricalKernel(model, x, { output: last });
      const expected = Float64Array.from(
        { length: n * n },
        (_, k) =>
          full[
            (Math.floor(k / n) * outputs.length + last) * n * outputs.length + (k % n) * outputs.length + last
          ],
      );
      expect(gap(one.data, expected)).toBeLessThan(1e-5);
      before.push(tf.memory().numTensors - held);
    },
  );
});
