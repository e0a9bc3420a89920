import { address } from './control';
import { place, sixteen } from './convolve';
import { multiply } from './micro';
import { turnedTimes } from './strided';
import { filterGradient, results, transformCotangents, transformImage } from './winograd';

// A run of convolutions, described by a table of 4-byte integers: 16 for the run, then 24 for each, input to output.
// Places in scratch memory are relative to a thread's own.

@inline
function entry(at: usize, i: i32): i32 {
  return load<i32>(at + ((<usize>i) << 2));
}

@inline
function place32(at: usize, i: i32): usize {
  return <usize>load<u32>(at + ((<usize>i) << 2));
}

@inline
const layersAt: usize = 64;
@inline
const layerBytes: usize = 96;

/** Sums over the pixels of an image by channel, times `factors` where there are any. */
function sumPixels(
  image: usize,
  row: usize,
  height: i32,
  width: i32,
  channels: i32,
  to: usize,
  factors: usize,
): void {
  const pixel = (<usize>channels) << 2;
  for (let c: usize = 0; c < pixel; c += 16) {
    let total = f32x4.splat(0);
    for (let y = 0; y < height; y++) {
      let sum = f32x4.splat(0);
      let p = image + <usize>y * row + c;
      for (let x = 0; x < width; x++) {
        sum = f32x4.add(sum, v128.load(p));
        p += pixel;
      }
      total = f32x4.add(total, sum);
    }
    v128.store(to + c, factors ? f32x4.mul(total, v128.load(factors + c)) : total);
  }
}

/** Gradient of one convolution's weights for the cotangents at `image` (and, transformed, in its scratch). */
function weightsGradient(table: usize, layer: usize, sample: i32, scratch: usize, output: i32, image: usize, row: usize, factors: usize): void {
  const from = entry(layer, 3);
  const height = entry(layer, 4);
  const width = entry(layer, 5);
  const to = entry(layer, 6);
  const line = (<usize>to) << 2;
  const matrix = <usize>from * line;
  const winograd = entry(layer, 0) != 0;
  const size = (winograd ? 9 : 1) * matrix;
  const bias = entry(layer, 15) != 0;
  const rows = place32(layer, 13) + <usize>sample * place32(layer, 14) + <usize>output * (size + (bias ? line : 0));
  if (winograd) {
    const tiles = ((height + 1) >> 1) * ((width + 1) >> 1);
    const v = scratch + place32(layer, 16);
    const d = scratch + place32(layer, 18);
    const g = scratch + place32(table, 10);
    const pixel = (<usize>from) << 2;
    for (let p: usize = 0; p < 16; p++)
      multiply(
        v + p * <usize>tiles * pixel, d + p * <usize>tiles * line, tiles, from >> 3, to >> 3, g + p * matrix, line, false,
      );
    filterGradient(g, matrix, rows, factors, to);
  } else {
    // Here the input is patches, and the cotangents lie without a margin.
    const positions = height * width;
    const patches = place32(layer, 9) + <usize>(sample * positions) * ((<usize>from) << 2);
    turnedTimes(patches, (<usize>from) << 2, image, line, rows, line, from, positions, to);
    if (factors)
      for (let o: usize = 0; o < matrix; o += line)
        for (let c: usize = 0; c < line; c += 16)
          v128.store(rows + o + c, f32x4.mul(v128.load(rows + o + c), v128.load(factors + c)));
  }
  if (bias) sumPixels(image, row, height, width, to, rows + size, factors);
}

/**
 * Cotangents through convolution l and the slope in front of it. Those behind it come from its padded image in scratch,
 * or, transformed, from `ready`.
 */
function through(table: usize, l: i32, sample: i32, scratch: usize, output: i32, filters: usize, ready: usize): void {
  const layer = table + layersAt + <usize>l * layerBytes;
  const height = entry(layer, 1);
  const width = entry(layer, 2);
  const to = entry(layer, 3);
  const from = entry(layer, 6);
  const across = (width + 1) >> 1;
  const down = (height + 1) >> 1;
  const strip = entry(table, 6);
  const pixel = (<usize>from) << 2;
  const line = (<usize>to) << 2;
  const tiles = (strip * across + 3) & ~3;
  const s = scratch + place32(table, 7);
  const m = scratch + place32(table, 8);
  const panel = (<usize>(ready ? (down * across + 3) & ~3 : tiles)) << 5;
  const panelM = (<usize>tiles) << 5;
  const apartM = <usize>tiles * line;
  let image: usize;
  let row: usize;
  let slope: usize = 0;
  let d: usize = 0;
  let apartD: usize = 0;
  const slopeRow = <usize>width * line;
  const gate = entry(layer, 11) == 1;
  if (l > 0) {
    const below = layer - layerBytes;
    row = place32(below, 19);
    image = scratch + place32(below, 17) + <usize>entry(below, 20) * row + <usize>entry(below, 21) * line;
    slope = place32(layer, gate ? 9 : 12) + <usize>sample * <usize>height * slopeRow;
    if (entry(below, 0) && entry(below, 22)) {
      d = scratch + place32(below, 18);
      apartD = <usize>(across * down) * line;
    }
  } else {
    row = slopeRow;
    image = place32(table, 5) + <usize>(sample * entry(table, 1) + output) * <usize>height * row;
  }
  for (let ty = 0; ty < down; ty += strip) {
    const last = min(down, ty + strip);
    const first = <usize>(ty * across);
    let source = ready + (first << 5);
    if (!ready) {
      source = s;
      transformImage(scratch + place32(layer, 17), place32(layer, 19), from, across, ty, last, s, <usize>tiles * pixel, panel);
    }
    sixteen(source, panel, filters, m, panelM, (last - ty) * across, from, to);
    results(
      m, apartM, panelM, to, height, width, ty, last, image, row, 0, false, slope, slopeRow, gate,
      d ? d + (first << 5) : 0, apartD, (<usize>(across * down)) << 5,
    );
  }
}

/** Everything below the cotangents of convolution l for one output. */
function descend(table: usize, l: i32, sample: i32, scratch: usize, output: i32): void {
  for (; l >= 0; l--) {
    const layer = table + layersAt + <usize>l * layerBytes;
    if (entry(layer, 22)) {
      const row = place32(layer, 19);
      const image = scratch + place32(layer, 17) + <usize>entry(layer, 20) * row + ((<usize>(entry(layer, 21) * entry(layer, 6))) << 2);
      weightsGradient(table, layer, sample, scratch, output, image, row, 0);
    }
    if (l > 0 || entry(table, 5)) through(table, l, sample, scratch, output, place32(layer, 10), 0);
  }
}

/** One sample's gradients of the weights of a run of convolutions, for all outputs. */
export function networkTask(sample: i32, thread: i32): void {
  const table = address(0);
  const scratch = address(1) + <usize>thread * address(2);
  const layers = entry(table, 0);
  const outputs = entry(table, 1);
  memory.fill(scratch + place32(table, 13), 0, place32(table, 14));
  for (let l = 0; l < layers; l++) {
    const layer = table + layersAt + <usize>l * layerBytes;
    if (!entry(layer, 0) || !entry(layer, 22)) continue;
    const height = entry(layer, 1);
    const width = entry(layer, 2);
    const from = entry(layer, 3);
    const down = (entry(layer, 4) + 1) >> 1;
    const across = (entry(layer, 5) + 1) >> 1;
    const pixel = (<usize>from) << 2;
    const row = <usize>(2 * across + 2) * pixel;
    const padded = scratch + place32(table, 11);
    memory.fill(padded, 0, <usize>(2 * down + 2) * row);
    const image = place32(layer, 9) + <usize>(sample * height * width) * pixel;
    place(image, height, width, from, padded + <usize>entry(layer, 7) * row + <usize>entry(layer, 8) * pixel, row);
    transformImage(padded, row, from, across, 0, down, scratch + place32(layer, 16), <usize>(down * across) * pixel, (<usize>(down * across)) << 5);
  }
  const top = table + layersAt + <usize>(layers - 1) * layerBytes;
  const height = entry(top, 4);
  const width = entry(top, 5);
  const to = entry(top, 6);
  const line = (<usize>(width * to)) << 2;
  const row = place32(top, 19);
  const inside = scratch + place32(top, 17) + <usize>entry(top, 20) * row + ((<usize>(entry(top, 21) * to)) << 2);
  const apart = (<usize>(((height + 1) >> 1) * ((width + 1) >> 1) * to)) << 2;
  const shared = entry(table, 2) != 0;
  const wanted = entry(top, 0) != 0 && entry(top, 22) != 0;
  const passes = shared ? 1 : outputs;
  for (let o = 0; o < passes; o++) {
    const image = place32(table, 3) + <usize>((shared ? sample : sample * outputs + o) * height) * line;
    place(image, height, width, to, inside, row);
    if (wanted) transformCotangents(image, line, height, width, to, scratch + place32(top, 18), apart, apart / <usize>(to >> 3));
    if (!shared) descend(table, layers - 1, sample, scratch, o);
  }
  if (!shared) return;
  if (entry(top, 22)) weightsGradient(table, top, sample, scratch, 0, inside, row, place32(table, 4));
  if (layers == 1 && !entry(table, 5)) return;
  const down = (entry(top, 1) + 1) >> 1;
  const across = (entry(top, 2) + 1) >> 1;
  const ready = scratch + place32(table, 9);
  const filters = (<usize>(16 * to * entry(top, 3))) << 2;
  transformImage(scratch + place32(top, 17), row, to, across, 0, down, ready, (<usize>(((down * across + 3) & ~3) * to)) << 2, (<usize>((down * across + 3) & ~3)) << 5);
  for (let o = 0; o < outputs; o++) {
    through(table, layers - 1, sample, scratch, o, place32(top, 10) + <usize>o * filters, ready);
    descend(table, layers - 2, sample, scratch, o);
  }
}
