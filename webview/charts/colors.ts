export type Rgb = readonly [number, number, number];

/** Control points of a perceptually even dark-to-bright map (after Smith and van der Walt's viridis, 2015). */
const sequentialStops: readonly Rgb[] = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

/** Blue, pale, red: for values around zero. */
const divergingStops: readonly Rgb[] = [
  [33, 102, 172],
  [146, 197, 222],
  [247, 247, 247],
  [244, 165, 130],
  [178, 24, 43],
];

function sample(stops: readonly Rgb[], share: number): Rgb {
  const at = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  const f = at - i;
  const [a, b] = [stops[i], stops[i + 1]];
  return [a[0] + f * (b[0] - a[0]), a[1] + f * (b[1] - a[1]), a[2] + f * (b[2] - a[2])];
}

/** 256 colours as packed RGBA, ready for image data. */
function table(stops: readonly Rgb[]): Uint8ClampedArray {
  const out = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const [r, g, b] = sample(stops, i / 255);
    out.set([r, g, b, 255], 4 * i);
  }
  return out;
}

export const sequential = table(sequentialStops);
export const diverging = table(divergingStops);

/** Colours from one end over the middle to the other, as a table of 256. */
export const ramp = (low: Rgb, middle: Rgb, high: Rgb): Uint8ClampedArray => table([low, middle, high]);

export const cssGradient = (colors: Uint8ClampedArray): string =>
  `linear-gradient(90deg, ${[0, 64, 128, 192, 255].map((i) => `rgb(${colors[4 * i]} ${colors[4 * i + 1]} ${colors[4 * i + 2]})`).join(', ')})`;
