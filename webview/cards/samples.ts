import type { Snapshot } from '../../src/protocol/records.js';
import type { RunData } from '../store.js';
import { t } from '../strings.js';

/** Height, width and channels of one probe input as a picture; null when the inputs are none. */
export function pictureShape(run: RunData): readonly [number, number, number] | null {
  const inputs = run.firstSnapshot('probeInputs');
  if (!inputs) return null;
  const [, ...shape] = inputs.shape;
  if (shape.length === 3 && (shape[2] === 1 || shape[2] === 3)) return [shape[0], shape[1], shape[2]];
  const data = run.info.definition['data'] as { kind?: unknown } | undefined;
  const side = Math.sqrt(shape[0]);
  const pictures = data?.kind === 'mnist' || data?.kind === 'digits';
  return shape.length === 1 && pictures && Number.isInteger(side) ? [side, side, 1] : null;
}

/** Draws one probe input, its darkest value black and its brightest white. */
export function paintSample(
  canvas: HTMLCanvasElement,
  inputs: Snapshot,
  index: number,
  [height, width, channels]: readonly [number, number, number],
): void {
  const size = height * width * channels;
  const values = inputs.data.subarray(index * size, (index + 1) * size);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  const image = new ImageData(width, height);
  for (let p = 0; p < height * width; p++) {
    for (let c = 0; c < 3; c++) {
      const v = values[p * channels + (channels === 3 ? c : 0)];
      image.data[4 * p + c] = (255 * (v - low)) / (high - low || 1);
    }
    image.data[4 * p + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.putImageData(image, 0, 0);
}

/** Name of a probe input: its number, and its class by the data's own names (the digits) where there are some. */
export function sampleName(run: RunData, index: number): string {
  const { labels } = run.info.probe;
  if (labels.length === 0) return t('sample {0}', index);
  const data = run.info.definition['data'] as { digits?: unknown } | undefined;
  const digits: unknown = data?.digits;
  const label: unknown = Array.isArray(digits) ? digits[labels[index]] : labels[index];
  return t('sample {0}, label {1}', index, String(label));
}

/** Probe inputs in the order of their labels: those of one class lie together. */
export function sortedByLabel(run: RunData, n: number): Uint32Array {
  const { labels } = run.info.probe;
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  return labels.length === n ? order.sort((a, b) => labels[a] - labels[b] || a - b) : order;
}
