import type { MetricsFrame } from '../protocol/trainerWire.js';

/**
 * TensorBoard event files: TFRecords (length, masked CRC-32C of the length, data, masked CRC-32C of the data) of Event
 * messages. Only what scalars need of the protocol buffers is written.
 * Formats: tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto, framework/summary.proto.
 */
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

function maskedCrc(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 255] ^ (crc >>> 8);
  crc = ~crc >>> 0;
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const varint = (value: number): number[] => {
  const out: number[] = [];
  let rest = value;
  while (rest > 127) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
};
const tag = (field: number, wire: number): number => (field << 3) | wire;
const bytesField = (field: number, bytes: readonly number[]): number[] => [
  tag(field, 2),
  ...varint(bytes.length),
  ...bytes,
];
const fixed = (field: number, value: number, bytes: 4 | 8): number[] => {
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return [tag(field, bytes === 4 ? 5 : 1), ...new Uint8Array(view.buffer)];
};
const text = (value: string): number[] => [...new TextEncoder().encode(value)];

function record(data: readonly number[]): Uint8Array {
  const out = new Uint8Array(16 + data.length);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc(out.subarray(0, 8)), true);
  out.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc(out.subarray(12, 12 + data.length)), true);
  return out;
}

/**
 * All finite scalars of a run, one event a row. `start` is the wall time of the first in seconds; `seconds` [rows] is what
 * had passed since then at each row, NaN where it is not known: such a row has the time of the one before.
 */
export function scalarEvents(
  { step, columns }: MetricsFrame,
  start: number,
  seconds: ArrayLike<number> = [],
): Uint8Array {
  const records = [record([...fixed(1, start, 8), ...bytesField(3, text('brain.Event:2'))])];
  let wall = start;
  let base = start;
  let last = 0;
  for (let i = 0; i < step.length; i++) {
    if (Number.isFinite(seconds[i])) {
      // A resumed run counts from its own start again.
      if (seconds[i] < last) base = wall;
      last = seconds[i];
      wall = base + last;
    }
    const values: number[] = [];
    for (const [name, column] of Object.entries(columns)) {
      if (!Number.isFinite(column[i])) continue;
      const value = [...bytesField(1, text(name.replaceAll('.', '/'))), ...fixed(2, column[i], 4)];
      values.push(...bytesField(1, value));
    }
    if (values.length > 0)
      records.push(record([...fixed(1, wall, 8), tag(2, 0), ...varint(step[i]), ...bytesField(5, values)]));
  }
  return Uint8Array.from(Buffer.concat(records));
}
