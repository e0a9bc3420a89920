import { clear, dot, dot4, scale, subtract2, subtract4, sum2 } from './vectors';

/**
 * w = A v over the indices from `first` on, reading only the upper triangle of A: each entry is loaded once and serves
 * both its row and its column. Four rows at a time, of which this is one part of `parts`: the sum of all parts is A v. v is
 * zero before `first`, so rows before it do no harm.
 */
export function symmetricProduct(
  a: usize,
  stride: usize,
  v: usize,
  w: usize,
  first: i32,
  n: i32,
  part: i32,
  parts: i32,
): void {
  const start = first & ~3;
  const end = (<usize>n) << 3;
  clear(w, (<usize>start) << 3, end);
  for (let i = start + 4 * part; i < n; i += 4 * parts) {
    const at = (<usize>i) << 3;
    const r0 = a + <usize>i * stride;
    const r1 = r0 + stride;
    const r2 = r1 + stride;
    const r3 = r2 + stride;
    const x0 = v128.load64_splat(v + at);
    const x1 = v128.load64_splat(v + at, 8);
    const x2 = v128.load64_splat(v + at, 16);
    const x3 = v128.load64_splat(v + at, 24);
    // The 4 x 4 block on the diagonal is kept whole.
    const va = v128.load(v + at);
    const vb = v128.load(v + at, 16);
    let s0 = f64x2.add(f64x2.mul(v128.load(r0 + at), va), f64x2.mul(v128.load(r0 + at, 16), vb));
    let s1 = f64x2.add(f64x2.mul(v128.load(r1 + at), va), f64x2.mul(v128.load(r1 + at, 16), vb));
    let s2 = f64x2.add(f64x2.mul(v128.load(r2 + at), va), f64x2.mul(v128.load(r2 + at, 16), vb));
    let s3 = f64x2.add(f64x2.mul(v128.load(r3 + at), va), f64x2.mul(v128.load(r3 + at, 16), vb));
    for (let o = at + 32; o < end; o += 16) {
      const a0 = v128.load(r0 + o);
      const a1 = v128.load(r1 + o);
      const a2 = v128.load(r2 + o);
      const a3 = v128.load(r3 + o);
      const vk = v128.load(v + o);
      const left = f64x2.add(f64x2.mul(a0, x0), f64x2.mul(a1, x1));
      const right = f64x2.add(f64x2.mul(a2, x2), f64x2.mul(a3, x3));
      s0 = f64x2.add(s0, f64x2.mul(a0, vk));
      s1 = f64x2.add(s1, f64x2.mul(a1, vk));
      s2 = f64x2.add(s2, f64x2.mul(a2, vk));
      s3 = f64x2.add(s3, f64x2.mul(a3, vk));
      v128.store(w + o, f64x2.add(v128.load(w + o), f64x2.add(left, right)));
    }
    store<f64>(w + at, load<f64>(w + at) + sum2(s0));
    store<f64>(w + at, load<f64>(w + at, 8) + sum2(s1), 8);
    store<f64>(w + at, load<f64>(w + at, 16) + sum2(s2), 16);
    store<f64>(w + at, load<f64>(w + at, 24) + sum2(s3), 24);
  }
  clear(w, (<usize>start) << 3, (<usize>first) << 3);
}

/** Lays V and W of the panel out by blocks of four indices: [block][p][V0 V1 V2 V3 W0 W1 W2 W3]. */
export function packPanel(v: usize, w: usize, stride: usize, width: i32, first: i32, n: i32, pack: usize): void {
  for (let p = 0; p < width; p++) {
    const vp = v + <usize>p * stride;
    const wp = w + <usize>p * stride;
    let to = pack + ((<usize>p) << 6);
    for (let i = first; i < n; i += 4) {
      const at = (<usize>i) << 3;
      v128.store(to, v128.load(vp + at));
      v128.store(to, v128.load(vp + at, 16), 16);
      v128.store(to, v128.load(wp + at), 32);
      v128.store(to, v128.load(wp + at, 16), 48);
      to += (<usize>width) << 6;
    }
  }
}

@inline
function subtractFrom(at: usize, low: v128, high: v128): void {
  v128.store(at, f64x2.sub(v128.load(at), low));
  v128.store(at, f64x2.sub(v128.load(at, 16), high), 16);
}

/**
 * A -= V W^T + W V^T on the blocks of the upper triangle from index `first` (a multiple of 4) on, four rows at a time, of
 * which this is one part of `parts`.
 */
export function rankTwoUpdate(
  a: usize,
  stride: usize,
  pack: usize,
  width: i32,
  first: i32,
  n: i32,
  part: i32,
  parts: i32,
): void {
  const size = (<usize>width) << 6;
  let left = pack + <usize>part * size;
  for (let i = first + 4 * part; i < n; i += 4 * parts) {
    const row = a + <usize>i * stride;
    const leftEnd = left + size;
    let right = left;
    for (let k = i; k < n; k += 4) {
      let c00 = f64x2.splat(0);
      let c01 = f64x2.splat(0);
      let c10 = f64x2.splat(0);
      let c11 = f64x2.splat(0);
      let c20 = f64x2.splat(0);
      let c21 = f64x2.splat(0);
      let c30 = f64x2.splat(0);
      let c31 = f64x2.splat(0);
      let r = right;
      for (let l = left; l < leftEnd; l += 64) {
        const v0 = v128.load(r);
        const v1 = v128.load(r, 16);
        const w0 = v128.load(r, 32);
        const w1 = v128.load(r, 48);
        let x = v128.load64_splat(l);
        let y = v128.load64_splat(l, 32);
        c00 = f64x2.add(c00, f64x2.add(f64x2.mul(x, w0), f64x2.mul(y, v0)));
        c01 = f64x2.add(c01, f64x2.add(f64x2.mul(x, w1), f64x2.mul(y, v1)));
        x = v128.load64_splat(l, 8);
        y = v128.load64_splat(l, 40);
        c10 = f64x2.add(c10, f64x2.add(f64x2.mul(x, w0), f64x2.mul(y, v0)));
        c11 = f64x2.add(c11, f64x2.add(f64x2.mul(x, w1), f64x2.mul(y, v1)));
        x = v128.load64_splat(l, 16);
        y = v128.load64_splat(l, 48);
        c20 = f64x2.add(c20, f64x2.add(f64x2.mul(x, w0), f64x2.mul(y, v0)));
        c21 = f64x2.add(c21, f64x2.add(f64x2.mul(x, w1), f64x2.mul(y, v1)));
        x = v128.load64_splat(l, 24);
        y = v128.load64_splat(l, 56);
        c30 = f64x2.add(c30, f64x2.add(f64x2.mul(x, w0), f64x2.mul(y, v0)));
        c31 = f64x2.add(c31, f64x2.add(f64x2.mul(x, w1), f64x2.mul(y, v1)));
        r += 64;
      }
      const at = row + ((<usize>k) << 3);
      subtractFrom(at, c00, c01);
      subtractFrom(at + stride, c10, c11);
      subtractFrom(at + 2 * stride, c20, c21);
      subtractFrom(at + 3 * stride, c30, c31);
      right += size;
    }
    left += <usize>parts * size;
  }
}

/**
 * Turns row j of A into the reflector v (v[j + 1] = 1, zero up to j, within its block of four) that maps the row to
 * (beta, 0, ...); stores beta and tau.
 */
function reflector(row: usize, j: i32, end: usize, e: usize, tau: usize): void {
  const at = (<usize>(j + 1)) << 3;
  const first = load<f64>(row + at);
  clear(row, (<usize>((j + 1) & ~3)) << 3, at + 8);
  // Row j may be the last of its block of four: then its own block is behind it and never read.
  store<f64>(row + ((<usize>j) << 3), 0);
  const from = at & ~31;
  const tail = dot(row, row, from, end);
  let t: f64 = 0;
  let beta = first;
  if (tail > 0) {
    const length = Math.sqrt(first * first + tail);
    beta = first > 0 ? -length : length;
    t = (beta - first) / beta;
    scale(row, 1 / (first - beta), from, end);
  }
  store<f64>(row + at, 1);
  store<f64>(e + ((<usize>j) << 3), beta);
  store<f64>(tau + ((<usize>j) << 3), t);
}

/** The last entry of the diagonal: what the panel from `start` to `stop` still owes it, and its copy to d. */
export function finishCorner(
  a: usize,
  stride: usize,
  start: i32,
  stop: i32,
  last: i32,
  d: usize,
  panel: usize,
): void {
  const at = (<usize>last) << 3;
  const corner = a + <usize>last * stride + at;
  let value = load<f64>(corner);
  for (let p = 0; p < stop - start; p++)
    value -= 2 * load<f64>(a + <usize>(start + p) * stride + at) * load<f64>(panel + <usize>p * stride + at);
  store<f64>(corner, value);
  store<f64>(d + at, value);
}

/**
 * A column of the panel (LAPACK dlatrd) up to the product of the matrix and its reflector: brings row j up to date and
 * makes the reflector.
 */
export function beginColumn(
  a: usize,
  stride: usize,
  j: i32,
  start: i32,
  padded: i32,
  d: usize,
  e: usize,
  tau: usize,
  panel: usize,
): void {
  const end = (<usize>padded) << 3;
  const row = a + <usize>j * stride;
  const v0 = a + <usize>start * stride;
  const at = (<usize>j) << 3;
  const done = j - start;
  let p = 0;
  for (; p + 1 < done; p += 2) {
    const v = v0 + <usize>p * stride;
    const w = panel + <usize>p * stride;
    const v2 = v + stride;
    const w2 = w + stride;
    const from = at & ~31;
    subtract4(
      row, load<f64>(v + at), w, load<f64>(w + at), v,
      load<f64>(v2 + at), w2, load<f64>(w2 + at), v2, from, end,
    );
  }
  for (; p < done; p++) {
    const v = v0 + <usize>p * stride;
    const w = panel + <usize>p * stride;
    subtract2(row, load<f64>(v + at), w, load<f64>(w + at), v, at & ~31, end);
  }
  store<f64>(d + at, load<f64>(row + at));
  reflector(row, j, end, e, tau);
}

/** From that product, which stands in the panel's column, to the column of W. */
export function endColumn(
  a: usize,
  stride: usize,
  j: i32,
  start: i32,
  padded: i32,
  tau: usize,
  panel: usize,
  scratch: usize,
): void {
  const end = (<usize>padded) << 3;
  const row = a + <usize>j * stride;
  const v0 = a + <usize>start * stride;
  const at = (<usize>j) << 3;
  const done = j - start;
  const t = load<f64>(tau + at);
  const wj = panel + <usize>done * stride;
  const from = (at + 8) & ~31;
  let p = 0;
  for (; p + 1 < done; p += 2) {
    const v = v0 + <usize>p * stride;
    const w = panel + <usize>p * stride;
    const v2 = v + stride;
    const w2 = w + stride;
    dot4(w, v, w2, v2, row, from, end, scratch);
    subtract4(
      wj, load<f64>(scratch), v, load<f64>(scratch, 8), w,
      load<f64>(scratch, 16), v2, load<f64>(scratch, 24), w2, from, end,
    );
  }
  for (; p < done; p++) {
    const v = v0 + <usize>p * stride;
    const w = panel + <usize>p * stride;
    subtract2(wj, dot(w, row, from, end), v, dot(v, row, from, end), w, from, end);
  }
  // Entries up to j belong to rows that are finished.
  clear(wj, from, at + 8);
  scale(wj, t, from, end);
  const half = 0.5 * t * dot(wj, row, from, end);
  subtract2(wj, half, row, 0, row, from, end);
}

/**
 * Brings the symmetric matrix at `a` (float64, rows `stride` bytes apart, upper triangle and the 4 x 4 blocks on the
 * diagonal given, padded with zeros to a multiple of 4) to tridiagonal form, `width` columns a panel: half of the work
 * is matrix-vector products, half rank-2k updates (Dongarra, Sorensen and Hammarling 1989). Reflectors stay in the rows.
 */
export function tridiagonalise(
  a: usize,
  stride: usize,
  n: i32,
  width: i32,
  d: usize,
  e: usize,
  tau: usize,
  panel: usize,
  pack: usize,
): void {
  const padded = (n + 3) & ~3;
  const last = n - 1;
  for (let start = 0; start < last; start += width) {
    const stop = min(start + width, last);
    for (let j = start; j < stop; j++) {
      beginColumn(a, stride, j, start, padded, d, e, tau, panel);
      const w = panel + <usize>(j - start) * stride;
      symmetricProduct(a, stride, a + <usize>j * stride, w, j + 1, padded, 0, 1);
      endColumn(a, stride, j, start, padded, tau, panel, pack);
    }
    if (stop < last) {
      packPanel(a + <usize>start * stride, panel, stride, width, stop, padded, pack);
      rankTwoUpdate(a, stride, pack, width, stop, padded, 0, 1);
    } else finishCorner(a, stride, start, stop, last, d, panel);
  }
  if (last == 0) finishCorner(a, stride, 0, 0, 0, d, panel);
}
