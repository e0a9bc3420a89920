import { beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import type { BackendName } from '../../src/network/backends/index.js';
import type { GraphNode } from '../../src/network/graph/graph.js';
import { trace } from '../../src/network/graph/trace.js';
import { registeredGradient } from '../../src/network/primitives/generic.js';
import { isFlat, knownKernels, pull, push } from '../../src/network/primitives/index.js';
import * as tf from '../../src/network/tf.js';
import { backendsUnderTest, startBackend } from '../helpers/backend.js';
import { labelOf, type PrimitiveCase, primitiveCases } from '../helpers/primitiveCases.js';

const backends = [...backendsUnderTest, 'cpu'] as readonly BackendName[];
const random = new Random('primitives');
const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const normal = (shape: readonly number[]): tf.Tensor =>
  tf.tensor(Float32Array.from(random.normals(sizeOf(shape))), [...shape]);

function drawn({ inputs, range }: PrimitiveCase): Record<string, tf.Tensor> {
  const [low, high] = range ?? [0, 0];
  return Object.fromEntries(
    Object.entries(inputs).map(([name, shape]) => [
      name,
      range
        ? tf.tensor(
            Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * random.uniform()),
            [...shape],
          )
        : normal(shape),
    ]),
  );
}

/** The kernel as one node of a trace. */
function nodeOf(test: PrimitiveCase): { node: GraphNode; names: readonly string[] } {
  const floats = drawn(test);
  const names = Object.keys(floats);
  const fixed = Object.entries(test.fixed ?? {}).map(
    ([name, { shape, values, dtype }]) => [name, tf.tensor([...values], [...shape], dtype)] as const,
  );
  const graph = trace(
    (tensors) => {
      const named = Object.fromEntries([...names.map((name, k) => [name, tensors[k]] as const), ...fixed]);
      const given = test.list ? Object.values(named) : named;
      return [
        tf.engine().runKernel(test.kernel, given as never, (test.attrs ?? {}) as never) as
          | tf.Tensor
          | tf.Tensor[],
      ].flat();
    },
    names.map((name) => floats[name]),
  );
  return { node: graph.nodes[0], names };
}

/** Inner product, and the sum of the sizes of its terms. */
function inner(a: tf.Tensor, b: tf.Tensor): readonly [number, number] {
  const [x, y] = [a.dataSync(), b.dataSync()];
  expect(x.length).toBe(y.length);
  let [sum, size] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    sum += x[i] * y[i];
    size += Math.abs(x[i] * y[i]);
  }
  return [sum, size];
}

function expectClose(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  const [x, y] = [a.dataSync(), b.dataSync()];
  let scale = 1e-3;
  for (const value of y) scale = Math.max(scale, Math.abs(value));
  for (let i = 0; i < x.length; i++) expect(Math.abs(x[i] - y[i])).toBeLessThan(2e-5 * scale);
}

it('has a case for every rule', () => {
  const covered = new Set(primitiveCases.map(({ kernel }) => kernel));
  const open = [...knownKernels].filter(
    (kernel) => tf.getKernel(kernel, 'cpu') && !covered.has(kernel) && !/BackpropFilter|Grad$/.test(kernel),
  );
  expect(open).toEqual([]);
});

describe.each(backends)('primitives on %s', (backend) => {
  beforeAll(() => startBackend(backend));

  it.each(primitiveCases.map((test) => [labelOf(test), test] as const))('%s', (_label, test) => {
    if (!tf.getKernel(test.kernel, tf.getBackend())) return;
    tf.tidy(() => {
      const { node, names } = nodeOf(test);
      const u = node.outputs.map(({ shape }) => normal([2, ...shape]));
      const one = (l: number) => u.map((t, k) => tf.reshape(tf.slice(t, l, 1), [...node.outputs[k].shape]));
      const v = Object.fromEntries(names.map((name) => [name, normal(node.inputs[name].shape)]));
      for (const moving of [...names.map((name) => [name]), names]) {
        const tangents = Object.fromEntries(moving.map((name) => [name, v[name]]));
        const pushed = push(tangents, node);
        expect(pushed.map((t) => t.shape)).toEqual(node.outputs.map(({ shape }) => [...shape]));
        for (const l of [0, 1]) {
          const left = one(l).map((t, k) => inner(t, pushed[k]));
          const right = moving.map((name) => {
            const shape = node.inputs[name].shape;
            const whole = tf.broadcastTo(pull(u, node, name), [2, ...shape]);
            return inner(tf.reshape(tf.slice(whole, l, 1), [...shape]), v[name]);
          });
          const total = (pairs: readonly (readonly [number, number])[], at: 0 | 1) =>
            pairs.reduce((sum, pair) => sum + pair[at], 0);
          const scale = Math.max(total(left, 1), total(right, 1), 1e-3);
          expect(Math.abs(total(left, 0) - total(right, 0))).toBeLessThan(1e-5 * scale);
        }
      }
      for (const name of names) {
        const own = tf.broadcastTo(pull(u, node, name), [2, ...node.inputs[name].shape]);
        if (!isFlat(node.kernel))
          expectClose(
            tf.reshape(tf.slice(own, 1, 1), [...node.inputs[name].shape]),
            tf.reshape(registeredGradient(node, one(1), name), [...node.inputs[name].shape]),
          );
        // An axis of length 1 stands for equal numbers along it.
        for (const [axis, n] of node.outputs[0].shape.entries()) {
          if (n === 1) continue;
          const short = node.outputs.map(({ shape }) =>
            normal([2, ...shape.map((m, k) => (k === axis ? 1 : m))]),
          );
          const long = short.map((t, k) => tf.broadcastTo(t, [2, ...node.outputs[k].shape]));
          const whole = [2, ...node.inputs[name].shape];
          expectClose(
            tf.broadcastTo(pull(short, node, name), whole),
            tf.broadcastTo(pull(long, node, name), whole),
          );
        }
      }
    });
  });
});
