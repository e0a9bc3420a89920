import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { assignArrays, writeWeights } from '../../src/experiment/checkpoints/assign.js';
import { findCheckpoints } from '../../src/experiment/checkpoints/find.js';
import { type NamedArray, readSafetensors } from '../../src/experiment/checkpoints/safetensors.js';
import { useBackend } from '../../src/network/backends/index.js';
import * as tf from '../../src/network/tf.js';
import { temporaryFolder } from '../helpers/folders.js';

const folder = temporaryFolder();
beforeAll(async () => {
  await useBackend('cpu');
});
afterAll(() => folder.clean());

const random = new Random(7);
const array = (name: string, ...shape: number[]): NamedArray => ({
  name,
  shape,
  values: Float32Array.from(random.normals(shape.reduce((a, b) => a * b, 1))),
});
const { layers: L } = tf;

describe('weights by the names that others give them', () => {
  const net = () =>
    tf.sequential({
      layers: [L.dense({ units: 3, inputShape: [2], activation: 'tanh' }), L.dense({ units: 1 })],
    });

  it('turns the matrices of PyTorch, in the order of the numbers in their names', () => {
    const [w0, b0, w2, b2] = [
      array('10.weight', 1, 3),
      array('10.bias', 1),
      array('2.weight', 3, 2),
      array('2.bias', 3),
    ];
    const [k0, c0, k1, c1] = assignArrays(net(), [w0, b0, w2, b2], 'x');
    expect([c0, c1]).toEqual([b2.values, b0.values]);
    for (let i = 0; i < 2; i++) for (let o = 0; o < 3; o++) expect(k0[i * 3 + o]).toBe(w2.values[o * 2 + i]);
    expect(k1).toEqual(w0.values);
  });

  it('keeps the kernels of Flax and Keras as they are', () => {
    const arrays = [
      array('params/Dense_1/kernel', 3, 1),
      array('params/Dense_1/bias', 1),
      array('params/Dense_0/kernel', 2, 3),
      array('params/Dense_0/bias', 3),
    ];
    expect(assignArrays(net(), arrays, 'x')).toEqual([2, 3, 0, 1].map((i) => arrays[i].values));
  });

  it('goes by the names of layers where both sides have them', () => {
    const model = tf.sequential({
      layers: [L.dense({ units: 3, inputShape: [2], name: 'zebra' }), L.dense({ units: 1, name: 'ape' })],
    });
    const arrays = [
      array('ape.kernel', 3, 1),
      array('ape.bias', 1),
      array('zebra.kernel', 2, 3),
      array('zebra.bias', 3),
    ];
    expect(assignArrays(model, arrays, 'x')).toEqual([2, 3, 0, 1].map((i) => arrays[i].values));
  });

  it('takes numbered arrays for model.getWeights(), past what a run keeps beside them', () => {
    const arrays = [
      array('slot.0.first', 6),
      array('state', 9),
      array('1', 3),
      array('0', 2, 3),
      array('3', 1),
      array('2', 3, 1),
    ];
    expect(assignArrays(net(), arrays, 'x')).toEqual([3, 2, 5, 4].map((i) => arrays[i].values));
  });

  it('gives a convolutional network the function that it has in PyTorch', () => {
    const model = tf.sequential({
      layers: [
        L.conv2d({ filters: 3, kernelSize: 2, inputShape: [4, 5, 2], activation: 'tanh' }),
        L.flatten(),
        L.dropout({ rate: 0.5 }),
        L.dense({ units: 2 }),
      ],
    });
    const [w, b, v, c] = [
      array('features.0.weight', 3, 2, 2, 2),
      array('features.0.bias', 3),
      array('head.weight', 2, 36),
      array('head.bias', 2),
    ];
    writeWeights(model, assignArrays(model, [w, b, v, c], 'x'));
    // Channels first, as PyTorch computes it.
    const x = array('x', 2, 4, 5);
    const hidden: number[] = [];
    for (let o = 0; o < 3; o++)
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 4; j++) {
          let sum = b.values[o];
          for (let ch = 0; ch < 2; ch++)
            for (let p = 0; p < 2; p++)
              for (let q = 0; q < 2; q++)
                sum += w.values[((o * 2 + ch) * 2 + p) * 2 + q] * x.values[(ch * 4 + i + p) * 5 + j + q];
          hidden.push(Math.tanh(sum));
        }
    const wanted = [0, 1].map((o) =>
      hidden.reduce((sum, h, k) => sum + h * v.values[o * 36 + k], c.values[o]),
    );
    const last = tf.transpose(tf.tensor(x.values, [1, 2, 4, 5]), [0, 2, 3, 1]);
    const got = (model.predict(last) as tf.Tensor).dataSync();
    for (const [o, value] of wanted.entries()) expect(got[o]).toBeCloseTo(value, 4);
  });

  it('takes batch normalisation of PyTorch, and leaves its counter', () => {
    const model = tf.sequential({ layers: [L.dense({ units: 3, inputShape: [2] }), L.batchNormalization()] });
    const arrays = [
      array('0.weight', 3, 2),
      array('0.bias', 3),
      array('1.weight', 3),
      array('1.bias', 3),
      array('1.running_mean', 3),
      array('1.running_var', 3),
      array('1.num_batches_tracked'),
    ];
    const values = assignArrays(model, arrays, 'x');
    expect(values.slice(2)).toEqual([2, 3, 4, 5].map((i) => arrays[i].values));
  });

  it.each<[string, NamedArray[], RegExp]>([
    [
      'another shape',
      [array('0.weight', 3, 5), array('0.bias', 3), array('1.weight', 1, 3), array('1.bias', 1)],
      /x: 0\.weight has the shape \[3, 5\], but .*\/kernel of the model needs \[2, 3\]/,
    ],
    [
      'another number of layers',
      [array('0.weight', 3, 2), array('0.bias', 3)],
      /holds the weights of 1 layers \(0\), but the model has 2/,
    ],
    [
      'a missing bias',
      [array('0.weight', 3, 2), array('1.weight', 1, 3), array('1.bias', 1)],
      /0 has no bias or b for .*bias; it has weight/,
    ],
    [
      'another number of arrays',
      [array('0', 2, 3), array('1', 3)],
      /holds 2 arrays, but the model has 4 weights/,
    ],
    [
      'NaN',
      [
        array('0', 2, 3),
        { name: '1', shape: [3], values: Float32Array.of(0, Number.NaN, 0) },
        array('2', 3, 1),
        array('3', 1),
      ],
      /x: 1 is NaN at place 1; weights must be finite/,
    ],
  ])('refuses %s', (_, arrays, message) => {
    expect(() => assignArrays(net(), arrays, 'x')).toThrow(message);
  });
});

describe('safetensors', () => {
  const file = (header: object, body: Uint8Array) => {
    const text = Buffer.from(JSON.stringify(header));
    const out = Buffer.alloc(8 + text.length + body.length);
    out.writeBigUInt64LE(BigInt(text.length));
    text.copy(out, 8);
    out.set(body, 8 + text.length);
    return out;
  };
  it('reads every type of numbers', () => {
    const body = Buffer.alloc(26);
    body.writeFloatLE(1.5, 0);
    body.writeUInt16LE(0x3e00, 4);
    body.writeUInt16LE(0x3fc0, 6);
    body.writeDoubleLE(1.5, 8);
    body.writeBigInt64LE(-3n, 16);
    body.writeInt8(-3, 24);
    body.writeUInt8(1, 25);
    const entry = (dtype: string, from: number, to: number) => ({
      dtype,
      shape: [1],
      data_offsets: [from, to],
    });
    const arrays = readSafetensors(
      file(
        {
          __metadata__: { a: 'b' },
          a: entry('F32', 0, 4),
          b: entry('F16', 4, 6),
          c: entry('BF16', 6, 8),
          d: entry('F64', 8, 16),
          e: entry('I64', 16, 24),
          f: entry('I8', 24, 25),
          g: entry('BOOL', 25, 26),
        },
        body,
      ),
      'm.safetensors',
    );
    expect(arrays.map(({ name, values }) => `${name} ${values[0]}`)).toEqual([
      'a 1.5',
      'b 1.5',
      'c 1.5',
      'd 1.5',
      'e -3',
      'f -3',
      'g 1',
    ]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['a short file', Buffer.from('abc'), /is no \.safetensors file, or it is cut off/],
    ['a header beyond the file', Buffer.from([255, 255, 255, 255, 0, 0, 0, 0, 1]), /is cut off/],
    [
      'no JSON',
      Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('{x')]),
      /its header is not JSON/,
    ],
    [
      'bytes that are missing',
      file({ a: { dtype: 'F32', shape: [2], data_offsets: [0, 8] } }, Buffer.alloc(4)),
      /a is damaged: its bytes do not fit its shape/,
    ],
    [
      'a type that is not read',
      file({ a: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 1] } }, Buffer.alloc(1)),
      /a has the type F8_E4M3; read are F64/,
    ],
    [
      'a negative offset',
      file({ a: { dtype: 'F32', shape: [1], data_offsets: [-4, 0] } }, Buffer.alloc(4)),
      /a is damaged/,
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes, 'm.safetensors')).toThrow(message);
  });
});

describe('the checkpoints of a folder', () => {
  it('are in the order of their numbers', () => {
    const place = path.join(folder.path, 'run');
    for (const name of ['epoch-10', 'epoch-9']) {
      mkdirSync(path.join(place, name), { recursive: true });
      writeFileSync(path.join(place, name, 'model.json'), '{}');
    }
    for (const name of ['w2.npz', 'w10.npz', 'a.safetensors', 'notes.txt', 'x.pt', 'config.json'])
      writeFileSync(path.join(place, name), '');
    const found = findCheckpoints(place);
    expect(found.checkpoints.map((c) => `${c.kind} ${c.name}`)).toEqual([
      'safetensors a.safetensors',
      'model epoch-9',
      'model epoch-10',
      'npz w2.npz',
      'npz w10.npz',
    ]);
    expect(found.others).toEqual(['config.json', 'x.pt']);
  });

  it('are asked for in a sentence where there are none', () => {
    const place = path.join(folder.path, 'none');
    mkdirSync(place);
    writeFileSync(path.join(place, 'model.pt'), '');
    expect(() => findCheckpoints(place)).toThrow(
      /holds no checkpoints \(it has model\.pt\)\. Read are folders with a model\.json/,
    );
    expect(() => findCheckpoints('/nowhere')).toThrow(/\/nowhere could not be read as a folder \(ENOENT\)/);
  });
});
