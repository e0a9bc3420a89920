import { decode as decodePng } from 'fast-png';
import { decode as decodeJpeg } from 'jpeg-js';
import { InputError } from '../../../core/errors.js';

/** Pixels in [0, 1], row-major [height, width, channels]; 1 channel for grey, 3 for colour. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3;
  readonly pixels: Float32Array;
  /** Whether it had transparent pixels, which are taken for opaque. */
  readonly transparent: boolean;
}

/** Megabytes that a JPEG may take while it is read. */
const mostMemory = 512;

/** Reads a PNG (any depth, with or without palette) or JPEG by what it holds, not by its name. Throws an InputError. */
export function decodePicture(bytes: Uint8Array, file: string): Picture {
  try {
    if (bytes[0] === 0x89 && bytes[1] === 0x50) return png(bytes);
    if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpeg(bytes);
  } catch (error) {
    throw new InputError(`${file} could not be read (${(error as Error).message}); it may be damaged.`, {
      file,
      field: 'data.path',
    });
  }
  throw new InputError(`${file} is no PNG and no JPEG. Convert it, or take it out of the folder.`, {
    file,
    field: 'data.path',
  });
}

function png(bytes: Uint8Array): Picture {
  const { width, height, data, depth, channels: stored, palette, transparency } = decodePng(bytes);
  const full = 2 ** depth - 1;
  const value = (i: number) => (depth < 8 ? bits(data as Uint8Array, i, width * stored, depth) : data[i]);
  const count = width * height;
  const colour = palette !== undefined || stored >= 3;
  const channels = colour ? 3 : 1;
  const pixels = new Float32Array(count * channels);
  let transparent = transparency !== undefined;
  for (let i = 0; i < count; i++) {
    if (palette) {
      const entry = palette[value(i)];
      for (let c = 0; c < 3; c++) pixels[i * 3 + c] = entry[c] / 255;
      continue;
    }
    for (let c = 0; c < channels; c++) pixels[i * channels + c] = value(i * stored + c) / full;
    if (stored > channels && value(i * stored + channels) !== full) transparent = true;
  }
  return { width, height, channels, pixels, transparent };
}

/** Sample i of rows of `perRow` samples that are packed into bytes, each row from a new byte. */
function bits(data: Uint8Array, i: number, perRow: number, depth: number): number {
  const row = Math.floor(i / perRow);
  const bit = (i % perRow) * depth;
  const byte = data[row * Math.ceil((perRow * depth) / 8) + (bit >> 3)];
  return (byte >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

function jpeg(bytes: Uint8Array): Picture {
  const { width, height, data } = decodeJpeg(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    maxMemoryUsageInMB: mostMemory,
  });
  const pixels = new Float32Array(width * height * 3);
  for (let i = 0; i < pixels.length; i++) pixels[i] = data[i] / 255;
  return isGrey(pixels)
    ? { width, height, ...grey(pixels) }
    : { width, height, channels: 3, pixels, transparent: false };
}

function isGrey(pixels: Float32Array): boolean {
  for (let i = 0; i < pixels.length; i += 3)
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return false;
  return true;
}

const grey = (pixels: Float32Array): Pick<Picture, 'channels' | 'pixels' | 'transparent'> => ({
  channels: 1,
  pixels: pixels.filter((_, i) => i % 3 === 0),
  transparent: false,
});

/** The picture in one or three channels: grey is repeated, colour is weighed by ITU-R BT.601. */
export function withChannels(picture: Picture, channels: 1 | 3): Float32Array {
  const { pixels } = picture;
  if (picture.channels === channels) return pixels;
  const count = picture.width * picture.height;
  if (channels === 3) return Float32Array.from({ length: 3 * count }, (_, i) => pixels[Math.floor(i / 3)]);
  return Float32Array.from(
    { length: count },
    (_, i) => 0.299 * pixels[3 * i] + 0.587 * pixels[3 * i + 1] + 0.114 * pixels[3 * i + 2],
  );
}

/**
 * Pixels [height, width, channels] brought to another size: the mean over the area that each new pixel covers, and
 * between pixels linearly where the picture grows.
 */
export function resized(
  pixels: Float32Array,
  [height, width, channels]: readonly [number, number, number],
  [toHeight, toWidth]: readonly [number, number],
): Float32Array {
  const rows = weights(height, toHeight);
  const cols = weights(width, toWidth);
  const out = new Float32Array(toHeight * toWidth * channels);
  for (let i = 0; i < toHeight; i++)
    for (let j = 0; j < toWidth; j++)
      for (const [r, a] of rows[i])
        for (const [s, b] of cols[j])
          for (let c = 0; c < channels; c++)
            out[(i * toWidth + j) * channels + c] += a * b * pixels[(r * width + s) * channels + c];
  return out;
}

/** For every new place the old ones it is made of, with weights that sum to 1: a triangle as wide as the larger spacing. */
function weights(from: number, to: number): [number, number][][] {
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * ratio - 0.5;
    const taps: [number, number][] = [];
    for (let k = Math.ceil(centre - reach); k <= Math.floor(centre + reach); k++) {
      const weight = 1 - Math.abs(k - centre) / reach;
      if (weight > 0) taps.push([Math.min(from - 1, Math.max(0, k)), weight]);
    }
    const sum = taps.reduce((total, [, w]) => total + w, 0);
    return taps.map(([k, w]) => [k, w / sum]);
  });
}
