// Convolutions of 3 x 3 by Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin and Gray 2016): sixteen products for the
// thirty-six of a tile of 2 x 2. Filters h, images d, results y = A^T [(G h G^T) o (B^T d B)] A; and, transposed, gradients
// of filters from cotangents e: G^T [(A e A^T) o (B^T d B)] G. Channels are a multiple of 8. Transformed values lie as
// sixteen matrices [tiles, channels], `apart` bytes from one to the next, in panels of eight channels, `panel` bytes from
// one to the next. Strides are in bytes.

/** B^T d B of the tile rows [first, last) of an image with its margin; windows start at every other row and column. */
export function transformImage(
  image: usize,
  row: usize,
  channels: i32,
  across: i32,
  first: i32,
  last: i32,
  to: usize,
  apart: usize,
  panel: usize,
): void {
  const pixel = (<usize>channels) << 2;
  for (let ty = first; ty < last; ty++) {
    let window = image + <usize>(2 * ty) * row;
    for (let tx = 0; tx < across; tx++) {
      for (let c: usize = 0; c < pixel; c += 16) {
        const p0 = window + c;
        const p1 = p0 + pixel;
        const p2 = p1 + pixel;
        const p3 = p2 + pixel;
        const r1 = row;
        const r2 = row + row;
        const r3 = r2 + row;
        const x20 = v128.load(p0 + r2);
        const x21 = v128.load(p1 + r2);
        const x22 = v128.load(p2 + r2);
        const x23 = v128.load(p3 + r2);
        const out = to + (c >> 5) * panel + (c & 16);
        spread(
          f32x4.sub(v128.load(p0), x20),
          f32x4.sub(v128.load(p1), x21),
          f32x4.sub(v128.load(p2), x22),
          f32x4.sub(v128.load(p3), x23),
          out,
          apart,
        );
        const x10 = v128.load(p0 + r1);
        const x11 = v128.load(p1 + r1);
        const x12 = v128.load(p2 + r1);
        const x13 = v128.load(p3 + r1);
        spread(
          f32x4.add(x10, x20),
          f32x4.add(x11, x21),
          f32x4.add(x12, x22),
          f32x4.add(x13, x23),
          out + 4 * apart,
          apart,
        );
        spread(
          f32x4.sub(x20, x10),
          f32x4.sub(x21, x11),
          f32x4.sub(x22, x12),
          f32x4.sub(x23, x13),
          out + 8 * apart,
          apart,
        );
        spread(
          f32x4.sub(x10, v128.load(p0 + r3)),
          f32x4.sub(x11, v128.load(p1 + r3)),
          f32x4.sub(x12, v128.load(p2 + r3)),
          f32x4.sub(x13, v128.load(p3 + r3)),
          out + 12 * apart,
          apart,
        );
      }
      window += pixel + pixel;
      to += 32;
    }
  }
}

@inline
function spread(t0: v128, t1: v128, t2: v128, t3: v128, to: usize, apart: usize): void {
  v128.store(to, f32x4.sub(t0, t2));
  v128.store(to + apart, f32x4.add(t1, t2));
  v128.store(to + 2 * apart, f32x4.sub(t2, t1));
  v128.store(to + 3 * apart, f32x4.sub(t1, t3));
}

/** A e A^T of one tile of cotangents, four channels. */
@inline
export function transformTile(e00: v128, e01: v128, e10: v128, e11: v128, to: usize, apart: usize): void {
  widen(e00, e01, to, apart);
  widen(f32x4.add(e00, e10), f32x4.add(e01, e11), to + 4 * apart, apart);
  widen(f32x4.sub(e00, e10), f32x4.sub(e01, e11), to + 8 * apart, apart);
  widen(f32x4.neg(e10), f32x4.neg(e11), to + 12 * apart, apart);
}

@inline
function widen(e0: v128, e1: v128, to: usize, apart: usize): void {
  v128.store(to, e0);
  v128.store(to + apart, f32x4.add(e0, e1));
  v128.store(to + 2 * apart, f32x4.sub(e0, e1));
  v128.store(to + 3 * apart, f32x4.neg(e1));
}

/** A e A^T of an image of cotangents [height, width] with rows `row` apart. */
export function transformCotangents(
  image: usize,
  row: usize,
  height: i32,
  width: i32,
  channels: i32,
  to: usize,
  apart: usize,
  panel: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const zero = f32x4.splat(0);
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x += 2) {
      const p = image + <usize>y * row + <usize>x * pixel;
      for (let c: usize = 0; c < pixel; c += 16) {
        const right = x + 1 < width;
        const below = y + 1 < height;
        transformTile(
          v128.load(p + c),
          right ? v128.load(p + c + pixel) : zero,
          below ? v128.load(p + c + row) : zero,
          right && below ? v128.load(p + c + row + pixel) : zero,
          to + (c >> 5) * panel + (c & 16),
          apart,
        );
      }
      to += 32;
    }
  }
}

/** G^T m G: sixteen matrices of `size` bytes, one after the other, to the nine of a filter's gradient, times `factor` by channel. */
export function filterGradient(m: usize, size: usize, to: usize, factors: usize, channels: i32): void {
  const line = (<usize>channels) << 2;
  const half = f32x4.splat(0.5);
  let c: usize = 0;
  for (let o: usize = 0; o < size; o += 16) {
    const f = factors ? v128.load(factors + c) : f32x4.splat(1);
    c += 16;
    if (c == line) c = 0;
    for (let j: usize = 0; j < 4; j++) {
      // Column j of G^T m, in place.
      const at = m + o + j * size;
      const m0 = v128.load(at);
      const m1 = v128.load(at + 4 * size);
      const m2 = v128.load(at + 8 * size);
      const m3 = v128.load(at + 12 * size);
      const sum = f32x4.mul(half, f32x4.add(m1, m2));
      v128.store(at, f32x4.mul(f, f32x4.add(m0, sum)));
      v128.store(at + 4 * size, f32x4.mul(f, f32x4.mul(half, f32x4.sub(m1, m2))));
      v128.store(at + 8 * size, f32x4.mul(f, f32x4.add(sum, m3)));
    }
    for (let i: usize = 0; i < 3; i++) {
      const at = m + o + 4 * i * size;
      const m1 = v128.load(at + size);
      const m2 = v128.load(at + 2 * size);
      const sum = f32x4.mul(half, f32x4.add(m1, m2));
      const out = to + o + 3 * i * size;
      v128.store(out, f32x4.add(v128.load(at), sum));
      v128.store(out + size, f32x4.mul(half, f32x4.sub(m1, m2)));
      v128.store(out + 2 * size, f32x4.add(sum, v128.load(at + 3 * size)));
    }
  }
}

/** Row i (0 or 1) of A^T m for column j: m0 + m1 + m2, m1 - m2 - m3. */
@inline
function upper(at: usize, apart: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(at), v128.load(at + 4 * apart)), v128.load(at + 8 * apart));
}

@inline
function lower(at: usize, apart: usize): v128 {
  return f32x4.sub(
    f32x4.sub(v128.load(at + 4 * apart), v128.load(at + 8 * apart)),
    v128.load(at + 12 * apart),
  );
}

/**
 * Results y = A^T m A of the tile rows [first, last), to an image [height, width] with rows `row` apart. With `bias` it is
 * added, and with `relu` what is negative becomes 0. With `slope` (an image like the result, rows `slopeRow` apart) they
 * are multiplied by it, or, with `gate`, kept where it is positive; then with `tiles` A y A^T goes there, `apartTiles`.
 */
export function results(
  m: usize,
  apart: usize,
  panel: usize,
  channels: i32,
  height: i32,
  width: i32,
  first: i32,
  last: i32,
  image: usize,
  row: usize,
  bias: usize,
  relu: bool,
  slope: usize,
  slopeRow: usize,
  gate: bool,
  tiles: usize,
  apartTiles: usize,
  panelTiles: usize,
): void {
  const pixel = (<usize>channels) << 2;
  const across = (width + 1) >> 1;
  const zero = f32x4.splat(0);
  for (let ty = first; ty < last; ty++) {
    const below = 2 * ty + 1 < height;
    for (let tx = 0; tx < across; tx++) {
      const right = 2 * tx + 1 < width;
      const p = image + <usize>(2 * ty) * row + <usize>(2 * tx) * pixel;
      const s = slope + <usize>(2 * ty) * slopeRow + <usize>(2 * tx) * pixel;
      for (let c: usize = 0; c < pixel; c += 16) {
        const at = m + (c >> 5) * panel + (c & 16);
        const u0 = upper(at, apart);
        const u1 = upper(at + apart, apart);
        const u2 = upper(at + 2 * apart, apart);
        const u3 = upper(at + 3 * apart, apart);
        let y00 = f32x4.add(f32x4.add(u0, u1), u2);
        let y01 = f32x4.sub(f32x4.sub(u1, u2), u3);
        const l0 = lower(at, apart);
        const l1 = lower(at + apart, apart);
        const l2 = lower(at + 2 * apart, apart);
        const l3 = lower(at + 3 * apart, apart);
        let y10 = f32x4.add(f32x4.add(l0, l1), l2);
        let y11 = f32x4.sub(f32x4.sub(l1, l2), l3);
        if (slope) {
          const q = s + c;
          const s00 = v128.load(q);
          const s01 = right ? v128.load(q + pixel) : zero;
          const s10 = below ? v128.load(q + slopeRow) : zero;
          const s11 = right && below ? v128.load(q + slopeRow + pixel) : zero;
          if (gate) {
            y00 = v128.and(y00, f32x4.gt(s00, zero));
            y01 = v128.and(y01, f32x4.gt(s01, zero));
            y10 = v128.and(y10, f32x4.gt(s10, zero));
            y11 = v128.and(y11, f32x4.gt(s11, zero));
          } else {
            y00 = f32x4.mul(y00, s00);
            y01 = f32x4.mul(y01, s01);
            y10 = f32x4.mul(y10, s10);
            y11 = f32x4.mul(y11, s11);
          }
          if (tiles) transformTile(y00, y01, y10, y11, tiles + (c >> 5) * panelTiles + (c & 16), apartTiles);
        } else {
          if (bias) {
            const b = v128.load(bias + c);
            y00 = f32x4.add(y00, b);
            y01 = f32x4.add(y01, b);
            y10 = f32x4.add(y10, b);
            y11 = f32x4.add(y11, b);
          }
          if (relu) {
            y00 = f32x4.max(y00, zero);
            y01 = f32x4.max(y01, zero);
            y10 = f32x4.max(y10, zero);
            y11 = f32x4.max(y11, zero);
          }
        }
        const out = p + c;
        v128.store(out, y00);
        if (right) v128.store(out + pixel, y01);
        if (below) v128.store(out + row, y10);
        if (right && below) v128.store(out + row + pixel, y11);
      }
      m += 32;
      if (tiles) tiles += 32;
    }
  }
}
