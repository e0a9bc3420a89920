import * as tf from '../../../src/network/tf.js';

/** A function of inputs [n, ...shape] over variables of the given shapes. */
export interface GridFunction {
  readonly name: string;
  readonly shape: readonly number[];
  readonly variables: readonly (readonly number[])[];
  readonly f: (x: tf.Tensor, w: readonly tf.Tensor[]) => tf.Tensor;
}

const matMul = (a: tf.Tensor, b: tf.Tensor): tf.Tensor => tf.matMul(a, b);

/** Functions of tensors without any layer. */
export const gridFunctions: readonly GridFunction[] = [
  {
    name: 'rms norm and SwiGLU',
    shape: [4],
    variables: [[4], [4, 6], [4, 6], [6, 2]],
    f: (x, [gain, gate, up, down]) => {
      const h = tf.mul(tf.div(x, tf.sqrt(tf.add(tf.mean(tf.square(x), -1, true), 1e-3))), gain);
      const g = matMul(h, gate);
      return matMul(tf.mul(tf.mul(g, tf.sigmoid(g)), matMul(h, up)), down);
    },
  },
  {
    name: 'one matrix three times',
    shape: [4],
    variables: [[4, 4]],
    f: (x, [w]) => tf.tanh(matMul(tf.tanh(matMul(tf.tanh(matMul(x, w)), tf.transpose(w))), w)),
  },
  {
    name: 'all weights in one vector',
    shape: [3],
    variables: [[3 * 4 + 4 + 4 * 2]],
    f: (x, [all]) => {
      const w = tf.reshape(tf.slice(all, [0], [12]), [3, 4]);
      const v = tf.reshape(tf.slice(all, [16], [8]), [4, 2]);
      return matMul(tf.tanh(tf.add(matMul(x, w), tf.slice(all, [12], [4]))), v);
    },
  },
  {
    name: 'overlapping slices of one vector',
    shape: [3],
    variables: [[8]],
    f: (x, [all]) => {
      const [a, b] = [tf.slice(all, [0], [6]), tf.slice(all, [2], [6])];
      return tf.tanh(
        matMul(tf.mul(matMul(x, tf.reshape(a, [3, 2])), 0.7), tf.reshape(tf.slice(b, [0], [4]), [2, 2])),
      );
    },
  },
  {
    name: 'hypernetwork',
    shape: [3],
    variables: [[2], [2, 12], [4, 2]],
    f: (x, [code, make, v]) => {
      const w = tf.reshape(matMul(tf.reshape(code, [1, 2]), make), [3, 4]);
      return matMul(tf.tanh(matMul(x, w)), v);
    },
  },
  {
    name: 'a hypernetwork of the inputs',
    shape: [3],
    variables: [
      [3, 6],
      [2, 2],
    ],
    f: (x, [make, v]) => {
      const own = tf.reshape(matMul(x, make), [-1, 3, 2]);
      const h = tf.reshape(tf.matMul(tf.reshape(x, [-1, 1, 3]), own), [-1, 2]);
      return matMul(tf.tanh(h), v);
    },
  },
  {
    name: 'fixed point iteration',
    shape: [3],
    variables: [
      [3, 4],
      [4, 4],
      [4, 2],
    ],
    f: (x, [u, w, v]) => {
      const drive = matMul(x, u);
      let z = tf.tanh(drive);
      for (let k = 0; k < 6; k++) z = tf.tanh(tf.add(tf.mul(matMul(z, w), 0.4), drive));
      return matMul(z, v);
    },
  },
  {
    name: 'graph convolution',
    shape: [5, 3],
    variables: [
      [3, 4],
      [4, 2],
    ],
    f: (x, [w, v]) => {
      const ring = tf.tensor2d(
        Array.from({ length: 25 }, (_, k) =>
          [0, 1, 4].includes((Math.floor(k / 5) - (k % 5) + 5) % 5) ? 1 / 3 : 0,
        ),
        [5, 5],
      );
      const [n] = x.shape;
      const spread = (h: tf.Tensor) => tf.matMul(tf.tile(tf.expandDims(ring, 0), [n, 1, 1]), h);
      const times = (h: tf.Tensor, m: tf.Tensor) =>
        tf.reshape(matMul(tf.reshape(h, [n * 5, m.shape[0] as number]), m), [n, 5, m.shape[1] as number]);
      return tf.mean(times(spread(tf.relu(times(spread(x), w))), v), 1);
    },
  },
  {
    name: 'powers, quotients, prelu',
    shape: [4],
    variables: [[4], [4], [4], [4, 2]],
    f: (x, [p, q, alpha, v]) => {
      const base = tf.add(tf.abs(x), 0.5);
      const h = tf.div(tf.pow(base, tf.sigmoid(p)), tf.add(tf.square(q), 1));
      return matMul(tf.prelu(tf.sub(h, 0.8), alpha), v);
    },
  },
  {
    name: 'scaled weights',
    shape: [4],
    variables: [[4, 5], [5], [5, 2]],
    f: (x, [w, b, v]) => {
      const h = tf.add(matMul(x, tf.mul(w, 1 / Math.sqrt(4))), tf.mul(b, 0.3));
      return tf.div(matMul(tf.relu(h), v), Math.sqrt(5));
    },
  },
  {
    name: 'einsum',
    shape: [3, 2],
    variables: [
      [2, 4],
      [3, 4, 2],
    ],
    f: (x, [w, v]) => tf.einsum('btk,tko->bo', tf.tanh(tf.einsum('btd,dk->btk', x, w)), v),
  },
  {
    name: 'cumulative sums, both ways',
    shape: [4, 3],
    variables: [[3, 3], [4, 1], [3]],
    f: (x, [w, g, v]) => {
      const [n, t, d] = x.shape;
      const h = tf.reshape(matMul(tf.reshape(x, [n * t, d]), w), [n, t, d]);
      const sums = tf.cumsum(tf.mul(h, g), 1);
      const back = tf.reverse(tf.cumsum(tf.reverse(tf.tanh(sums), 1), 1, true), 1);
      return tf.sum(tf.mul(tf.add(tf.cumsum(back, 2, true, true), tf.tanh(h)), v), [2]);
    },
  },
  {
    name: 'FiLM',
    shape: [4],
    variables: [
      [4, 3],
      [4, 3],
      [4, 3],
      [3, 2],
    ],
    f: (x, [w, scale, shift, v]) =>
      matMul(tf.tanh(tf.add(tf.mul(matMul(x, w), matMul(x, scale)), matMul(x, shift))), v),
  },
  {
    name: 'a weight alone, the same for all inputs',
    shape: [3],
    variables: [[3, 2], [2]],
    f: (x, [w, b]) => tf.add(tf.mul(tf.tanh(matMul(x, w)), tf.exp(b)), tf.square(b)),
  },
  {
    name: 'log-sum-exp and l2 normalisation',
    shape: [4],
    variables: [
      [4, 5],
      [5, 3],
    ],
    f: (x, [w, v]) => {
      const h = matMul(x, w);
      const unit = tf.div(h, tf.norm(h, 'euclidean', 1, true));
      const z = matMul(unit, v);
      return tf.sub(z, tf.logSumExp(z, 1, true));
    },
  },
  {
    name: 'padded, sliced, stacked',
    shape: [6],
    variables: [[4], [6], [4, 2]],
    f: (x, [a, b, v]) => {
      const gained = tf.mul(x, tf.pad(a, [[1, 1]], 1));
      const stacked = tf.stack([gained, tf.add(x, b)], 1);
      const piece = tf.slice(stacked, [0, 0, 1], [-1, 2, 4]);
      const [p, q] = tf.unstack(tf.tanh(piece), 1);
      return matMul(tf.mul(p, q), v);
    },
  },
  {
    name: 'strided slices, mirrored margins',
    shape: [6],
    variables: [[6], [4, 2]],
    f: (x, [a, v]) => {
      const h = tf.tanh(tf.mul(x, a));
      const every = tf.stridedSlice(h, [0, 0], [x.shape[0], 6], [1, 2]);
      const mirrored = tf.mirrorPad(
        every,
        [
          [0, 0],
          [1, 0],
        ],
        'reflect',
      );
      return matMul(mirrored, v);
    },
  },
  ...[
    [tf.image.resizeBilinear, false, false, 'bilinear'],
    [tf.image.resizeBilinear, true, false, 'bilinear, corners aligned'],
    [tf.image.resizeNearestNeighbor, false, true, 'nearest, half pixels'],
    [tf.image.resizeNearestNeighbor, true, false, 'nearest, corners aligned'],
  ].map(
    ([resize, aligned, half, name]): GridFunction => ({
      name: `resizing: ${name}`,
      shape: [3, 4, 2],
      variables: [
        [2, 2, 2, 3],
        [2, 1, 3, 1],
      ],
      f: (x, [w, v]) => {
        const to = resize as typeof tf.image.resizeBilinear;
        const h = tf.tanh(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'));
        const larger = tf.tanh(to(h as tf.Tensor4D, [5, 7], aligned as boolean, half as boolean));
        const seen = tf.conv2d(larger as tf.Tensor4D, v as tf.Tensor4D, 1, 'valid');
        return to(seen as tf.Tensor4D, [2, 1], aligned as boolean, half as boolean);
      },
    }),
  ),
  {
    name: 'products along an axis, broadcast weights',
    shape: [3],
    variables: [[3], [1, 3], [2]],
    f: (x, [a, b, v]) => {
      const h = tf.add(tf.mul(x, a), tf.broadcastTo(b, [x.shape[0], 3]));
      return tf.mul(tf.prod(tf.add(tf.tanh(h), 1.5), 1, true), v);
    },
  },
];
