// Implicit QL (EISPACK tql2). Rotations are recorded and applied to the block in batches, a few columns at a time, so
// that a strip of the block stays in the cache over many sweeps.

/** Bytes of one record of a sweep: the rows [low, high) it runs over, as two int32. */
const record: usize = 8;

function sweep(d: usize, e: usize, l: i32, m: i32, rotations: usize): bool {
  const low = (<usize>l) << 3;
  const high = (<usize>m) << 3;
  const el = load<f64>(e + low);
  let g = (load<f64>(d + low, 8) - load<f64>(d + low)) / (2 * el);
  let r = Math.sqrt(g * g + 1);
  // Where g * g overflows, the shift is d[l] itself.
  g = load<f64>(d + high) - load<f64>(d + low) + el / (g + (g < 0 ? -r : r));
  let s: f64 = 1;
  let c: f64 = 1;
  let p: f64 = 0;
  let next = load<f64>(d + high);
  let out = rotations;
  for (let o = high - 8; o + 8 > low; o -= 8) {
    const ei = load<f64>(e + o);
    const f = s * ei;
    const b = c * ei;
    r = Math.sqrt(f * f + g * g);
    store<f64>(e + o, r, 8);
    if (r == 0) {
      store<f64>(d + o, next - p, 8);
      store<f64>(e + high, 0);
      // The rest of the sweep is the identity.
      for (let k = o; k + 8 > low; k -= 8) {
        store<f64>(out, 1);
        store<f64>(out, 0, 8);
        out += 16;
      }
      return false;
    }
    const inverse = 1 / r;
    s = f * inverse;
    c = g * inverse;
    store<f64>(out, c);
    store<f64>(out, s, 8);
    out += 16;
    g = next - p;
    next = load<f64>(d + o);
    r = (next - g) * s + 2 * c * b;
    p = s * r;
    store<f64>(d + o, g + p, 8);
    g = c * r - b;
  }
  store<f64>(d + low, next - p);
  store<f64>(e + low, g);
  store<f64>(e + high, 0);
  return true;
}

/** One sweep's rotations on eight columns: the lower row of each pair waits in registers for the next rotation. */
function rotate8(at: usize, stride: usize, count: i32, rotations: usize): void {
  let z0 = v128.load(at);
  let z1 = v128.load(at, 16);
  let z2 = v128.load(at, 32);
  let z3 = v128.load(at, 48);
  for (let i = 0; i < count; i++) {
    const c = v128.load64_splat(rotations);
    const s = v128.load64_splat(rotations, 8);
    rotations += 16;
    const up = at - stride;
    const y0 = v128.load(up);
    const y1 = v128.load(up, 16);
    const y2 = v128.load(up, 32);
    const y3 = v128.load(up, 48);
    v128.store(at, f64x2.add(f64x2.mul(s, y0), f64x2.mul(c, z0)));
    v128.store(at, f64x2.add(f64x2.mul(s, y1), f64x2.mul(c, z1)), 16);
    v128.store(at, f64x2.add(f64x2.mul(s, y2), f64x2.mul(c, z2)), 32);
    v128.store(at, f64x2.add(f64x2.mul(s, y3), f64x2.mul(c, z3)), 48);
    z0 = f64x2.sub(f64x2.mul(c, y0), f64x2.mul(s, z0));
    z1 = f64x2.sub(f64x2.mul(c, y1), f64x2.mul(s, z1));
    z2 = f64x2.sub(f64x2.mul(c, y2), f64x2.mul(s, z2));
    z3 = f64x2.sub(f64x2.mul(c, y3), f64x2.mul(s, z3));
    at = up;
  }
  v128.store(at, z0);
  v128.store(at, z1, 16);
  v128.store(at, z2, 32);
  v128.store(at, z3, 48);
}

function rotate2(at: usize, stride: usize, count: i32, rotations: usize): void {
  let z = v128.load(at);
  for (let i = 0; i < count; i++) {
    const c = v128.load64_splat(rotations);
    const s = v128.load64_splat(rotations, 8);
    rotations += 16;
    const up = at - stride;
    const y = v128.load(up);
    v128.store(at, f64x2.add(f64x2.mul(s, y), f64x2.mul(c, z)));
    z = f64x2.sub(f64x2.mul(c, y), f64x2.mul(s, z));
    at = up;
  }
  v128.store(at, z);
}

function applyBatch(block: usize, stride: usize, columns: i32, records: usize, sweeps: i32, rotations: usize): void {
  for (let column = 0; column < columns; ) {
    const wide = columns - column >= 8;
    const at = block + ((<usize>column) << 3);
    let from = rotations;
    for (let k = 0; k < sweeps; k++) {
      const low = load<i32>(records + <usize>k * record);
      const high = load<i32>(records + <usize>k * record, 4);
      const bottom = at + <usize>high * stride;
      if (wide) rotate8(bottom, stride, high - low, from);
      else rotate2(bottom, stride, high - low, from);
      from += (<usize>(high - low)) << 4;
    }
    column += wide ? 8 : 2;
  }
}

/**
 * Eigenvalues of the tridiagonal matrix (d, e) in place of d; the block [n, columns] (columns even, rows `stride` bytes
 * apart) becomes S^T times it. `buffer` holds `capacity` bytes of rotations, at least 16 n; `records` 8 bytes a sweep
 * for capacity / 16 sweeps. Returns 0, or 1 when an eigenvalue takes more than `limit` sweeps.
 */
export function implicitQl(
  d: usize,
  e: usize,
  n: i32,
  block: usize,
  stride: usize,
  columns: i32,
  buffer: usize,
  capacity: usize,
  records: usize,
  limit: i32,
): i32 {
  let norm: f64 = 0;
  for (let i = 0; i < n; i++) {
    const at = (<usize>i) << 3;
    norm = max(norm, Math.abs(load<f64>(d + at)) + Math.abs(load<f64>(e + at)));
  }
  const negligible = 0.1 * f64.EPSILON * norm;
  let used: usize = 0;
  let pending = 0;
  for (let l = 0; l < n; l++) {
    for (let sweeps = 0; ; sweeps++) {
      let m = l;
      for (; m < n - 1; m++) {
        const at = (<usize>m) << 3;
        const size = Math.abs(load<f64>(e + at));
        if (size <= negligible) break;
        if (size <= 0.5 * f64.EPSILON * (Math.abs(load<f64>(d + at)) + Math.abs(load<f64>(d + at, 8)))) break;
      }
      if (m == l) break;
      if (sweeps == limit) return 1;
      const size = (<usize>(m - l)) << 4;
      if (used + size > capacity) {
        applyBatch(block, stride, columns, records, pending, buffer);
        used = 0;
        pending = 0;
      }
      sweep(d, e, l, m, buffer + used);
      if (columns > 0) {
        store<i32>(records + <usize>pending * record, l);
        store<i32>(records + <usize>pending * record, m, 4);
        pending++;
        used += size;
      }
    }
  }
  applyBatch(block, stride, columns, records, pending, buffer);
  return 0;
}
