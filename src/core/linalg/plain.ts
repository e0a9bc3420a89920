/** The symmetric eigenproblem in plain TypeScript: unblocked Householder tridiagonalisation and implicit QL. */
import {
  type Engine,
  maximumSweeps,
  powerOfTwoScale,
  type Reduction,
  reverseInPlace,
  runsDownward,
} from './engine.js';
import type { Matrix } from './matrix.js';

/**
 * Overwrites row j of `a` (upper triangle of a symmetric [n, n] matrix) from j + 1 on by the reflector
 * v (v[j + 1] = 1), H = I - tau v v^T. Golub and Van Loan, Matrix Computations, algorithm 8.3.1.
 */
function tridiagonalise(
  a: Float64Array,
  n: number,
  d: Float64Array,
  e: Float64Array,
  tau: Float64Array,
): void {
  const w = new Float64Array(n);
  for (let j = 0; j < n - 1; j++) {
    const row = a.subarray(j * n, (j + 1) * n);
    d[j] = row[j];
    const first = row[j + 1];
    let tail = 0;
    for (let i = j + 2; i < n; i++) tail += row[i] * row[i];
    if (tail === 0) {
      e[j] = first;
      tau[j] = 0;
      row[j + 1] = 1;
      continue;
    }
    const beta = first > 0 ? -Math.sqrt(first * first + tail) : Math.sqrt(first * first + tail);
    const t = (beta - first) / beta;
    const inverse = 1 / (first - beta);
    for (let i = j + 2; i < n; i++) row[i] *= inverse;
    row[j + 1] = 1;
    e[j] = beta;
    tau[j] = t;
    w.fill(0);
    for (let i = j + 1; i < n; i++) {
      const at = i * n;
      const vi = row[i];
      let s = a[at + i] * vi;
      for (let k = i + 1; k < n; k++) {
        s += a[at + k] * row[k];
        w[k] += a[at + k] * vi;
      }
      w[i] += s;
    }
    let overlap = 0;
    for (let i = j + 1; i < n; i++) {
      w[i] *= t;
      overlap += w[i] * row[i];
    }
    for (let i = j + 1; i < n; i++) w[i] -= 0.5 * t * overlap * row[i];
    for (let i = j + 1; i < n; i++) {
      const at = i * n;
      const vi = row[i];
      const wi = w[i];
      for (let k = i; k < n; k++) a[at + k] -= vi * w[k] + wi * row[k];
    }
  }
  d[n - 1] = a[n * n - 1];
  e[n - 1] = 0;
}

function rotate(block: Float64Array, width: number, i: number, c: number, s: number): void {
  const at = i * width;
  for (let k = at; k < at + width; k++) {
    const below = block[k + width];
    const above = block[k];
    block[k + width] = s * above + c * below;
    block[k] = c * above - s * below;
  }
}

/** One implicit QL sweep on the unreduced block l..m (EISPACK tql2). */
function sweep(
  d: Float64Array,
  e: Float64Array,
  l: number,
  m: number,
  block: Float64Array,
  width: number,
): void {
  let g = (d[l + 1] - d[l]) / (2 * e[l]);
  let r = Math.hypot(g, 1);
  g = d[m] - d[l] + e[l] / (g + (g < 0 ? -r : r));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * e[i];
    const b = c * e[i];
    r = Math.sqrt(f * f + g * g);
    e[i + 1] = r;
    if (r === 0) {
      d[i + 1] -= p;
      e[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    r = (d[i] - g) * s + 2 * c * b;
    p = s * r;
    d[i + 1] = g + p;
    g = c * r - b;
    if (width > 0) rotate(block, width, i, c, s);
  }
  d[l] -= p;
  e[l] = g;
  e[m] = 0;
}

function implicitQl(d: Float64Array, e: Float64Array, block: Float64Array, width: number): void {
  const n = d.length;
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]) + Math.abs(e[i]));
  const negligible = 0.1 * Number.EPSILON * norm;
  for (let l = 0; l < n; l++) {
    for (let sweeps = 0; ; sweeps++) {
      let m = l;
      for (; m < n - 1; m++) {
        const size = Math.abs(e[m]);
        if (size <= negligible || size <= 0.5 * Number.EPSILON * (Math.abs(d[m]) + Math.abs(d[m + 1]))) break;
      }
      if (m === l) break;
      if (sweeps === maximumSweeps)
        throw new Error('The QL iteration did not settle; the matrix has odd entries.');
      sweep(d, e, l, m, block, width);
    }
  }
}

export const plainEngine: Engine = {
  name: 'plain',
  reduce(k: Matrix, largest: number): Reduction {
    const n = k.rows;
    const scale = powerOfTwoScale(largest);
    const a = scale === 0 ? new Float64Array(n * n) : k.data.map((x) => x / scale);
    const diagonal = new Float64Array(n);
    const offDiagonal = new Float64Array(n);
    const tau = new Float64Array(n);
    if (n > 0) tridiagonalise(a, n, diagonal, offDiagonal, tau);
    return {
      n,
      scale,
      diagonal,
      offDiagonal,
      applyQ(rows, count, transposed) {
        for (let step = 0; step < n - 1; step++) {
          const j = transposed ? step : n - 2 - step;
          if (tau[j] === 0) continue;
          const v = j * n;
          for (let r = 0; r < count; r++) {
            const at = r * n;
            let s = 0;
            for (let i = j + 1; i < n; i++) s += a[v + i] * rows[at + i];
            s *= tau[j];
            for (let i = j + 1; i < n; i++) rows[at + i] -= s * a[v + i];
          }
        }
      },
      diagonalise(block = new Float64Array(0), width = 0) {
        const d = diagonal.slice();
        const e = offDiagonal.slice();
        if (runsDownward(d)) reverseInPlace(d, e, width > 0 ? block : undefined, width);
        implicitQl(d, e, block, width);
        return d;
      },
      release() {},
    };
  },
};
