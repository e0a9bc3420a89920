import { describe, expect, it } from 'vitest';
import { scalarEvents } from '../../src/runs/tensorboard.js';

/** Wall times of the records: TFRecord framing, then field 1 of each Event, a fixed64. */
function wallTimes(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const times: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    expect(bytes[at + 12]).toBe(9);
    times.push(view.getFloat64(at + 13, true));
    at += 16 + length;
  }
  return times;
}

describe('wall times of a TensorBoard export', () => {
  const frame = (n: number) => ({
    step: Float64Array.from({ length: n }, (_, i) => i),
    time: new Float64Array(n),
    columns: { loss: new Float64Array(n).fill(1) },
  });

  it('are the start and what had passed at each row', () => {
    expect(wallTimes(scalarEvents(frame(3), 1000, [0.5, 2, 7]))).toEqual([1000, 1000.5, 1002, 1007]);
  });

  it('go on where a run was resumed, and stay where a row has none', () => {
    expect(wallTimes(scalarEvents(frame(5), 1000, [1, 4, Number.NaN, 0.5, 3]))).toEqual([
      1000, 1001, 1004, 1004, 1004.5, 1007,
    ]);
  });
});
