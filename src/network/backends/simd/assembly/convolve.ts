import { address, integer } from './control';
import { times } from './strided';
import { results, transformImage } from './winograd';

/** An image [height, width] of `channels` into the middle of one with a margin, whose rows are `row` bytes apart. */
export function place(image: usize, height: i32, width: i32, channels: i32, to: usize, row: usize): void {
  const line = (<usize>(width * channels)) << 2;
  for (let y = 0; y < height; y++) memory.copy(to + <usize>y * row, image + <usize>y * line, line);
}

/** Sixteen products of transformed images [tiles, from] and filters [from, to], with panels `panel` and `panelM` apart. */
@inline
export function sixteen(
  s: usize,
  panel: usize,
  filters: usize,
  m: usize,
  panelM: usize,
  tiles: i32,
  from: i32,
  to: i32,
): void {
  const size = (<usize>(from * to)) << 2;
  const k = from >> 3;
  const columns = to >> 3;
  for (let p: usize = 0; p < 16; p++)
    times(s + p * <usize>k * panel, panel, filters + p * size, m + p * <usize>columns * panelM, panelM, tiles, k, columns);
}

/**
 * One image of a 3 x 3 convolution: images, filters, bias (or 0), results, height, width and channels of the input and of
 * the result, rows and columns of zeros above and beside the input, whether relu follows, scratch and its size for a
 * thread, tile rows done at once.
 */
export function convolutionTask(sample: i32, thread: i32): void {
  const height = integer(4);
  const width = integer(5);
  const from = integer(6);
  const outHeight = integer(7);
  const outWidth = integer(8);
  const to = integer(9);
  const strip = integer(15);
  const down = (outHeight + 1) >> 1;
  const across = (outWidth + 1) >> 1;
  const pixel = (<usize>from) << 2;
  const row = <usize>(2 * across + 2) * pixel;
  const bytes = <usize>(2 * down + 2) * row;
  const padded = address(13) + <usize>thread * address(14);
  const tiles = (strip * across + 3) & ~3;
  const s = padded + bytes;
  const panel = (<usize>tiles) << 5;
  const apart = <usize>tiles * pixel;
  const m = s + 16 * apart;
  const apartM = (<usize>(tiles * to)) << 2;
  memory.fill(padded, 0, bytes);
  const image = address(0) + <usize>sample * <usize>(height * width) * pixel;
  place(image, height, width, from, padded + <usize>integer(10) * row + <usize>integer(11) * pixel, row);
  const outRow = (<usize>(outWidth * to)) << 2;
  const out = address(3) + <usize>sample * <usize>outHeight * outRow;
  for (let ty = 0; ty < down; ty += strip) {
    const last = min(down, ty + strip);
    transformImage(padded, row, from, across, ty, last, s, apart, panel);
    sixteen(s, panel, address(1), m, panel, (last - ty) * across, from, to);
    results(
      m, apartM, panel, to, outHeight, outWidth, ty, last, out, outRow, address(2), integer(12) != 0, 0, 0, false, 0, 0, 0,
    );
  }
}
