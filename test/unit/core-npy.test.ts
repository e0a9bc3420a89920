import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeNpy, encodeNpy, type NpyData, type NpyType, toFloat64 } from '../../src/core/npy.js';
import { crc32, decodeNpz, encodeNpz, encodeZip } from '../../src/core/npz.js';
import { Random } from '../../src/core/random.js';

// Written by NumPy: numpy.arange(24).reshape(2, 3, 4) - 5, its absolute value for u1, "divisible by 3" for b1.
const fixture = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../fixtures/npy/${name}`, import.meta.url)));
const values = (name: string) => Array.from(toFloat64(decodeNpy(fixture(name))));
const counting = Array.from({ length: 24 }, (_, i) => i - 5);

describe('npy', () => {
  it.each(['f4', 'f8', 'i4', 'i8'])('reads what NumPy wrote as %s', (type) => {
    const { data, shape, type: read } = decodeNpy(fixture(`${type}.npy`));
    expect(shape).toEqual([2, 3, 4]);
    expect(read).toBe(type);
    expect(Array.from(toFloat64({ data, shape, type: read }))).toEqual(counting);
  });

  it('reads bytes, booleans, scalars, empty arrays and version 2', () => {
    expect(values('u1.npy')).toEqual(counting.map(Math.abs));
    expect(values('b1.npy')).toEqual(counting.map((x) => (x % 3 === 0 ? 1 : 0)));
    expect(decodeNpy(fixture('scalar.npy'))).toMatchObject({ shape: [], data: Float64Array.of(2.5) });
    expect(decodeNpy(fixture('empty.npy'))).toMatchObject({ shape: [0, 3], data: new Float32Array(0) });
    expect(values('version2.npy')).toEqual(counting);
  });

  it('widens half precision, to its last bit', () => {
    expect(values('half.npy')).toHaveLength(decodeNpy(fixture('half.npy')).shape.reduce((a, b) => a * b, 1));
    const halves = Uint16Array.of(
      0x3c00,
      0xc000,
      0x0001,
      0x03ff,
      0x0400,
      0x7bff,
      0x8000,
      0x7c00,
      0xfc00,
      0x3555,
    );
    for (const order of ['<', '>']) {
      const bytes = encodeNpy(halves);
      bytes.set(new TextEncoder().encode(`'${order}f2'`), new TextDecoder().decode(bytes).indexOf("'<u2'"));
      if (order === '>')
        for (let at = bytes.length - 20; at < bytes.length; at += 2) bytes.subarray(at, at + 2).reverse();
      expect(Array.from(toFloat64(decodeNpy(bytes)))).toEqual([
        1,
        -2,
        2 ** -24,
        1023 * 2 ** -24,
        2 ** -14,
        65504,
        -0,
        Infinity,
        -Infinity,
        0.333251953125,
      ]);
    }
  });

  it('converts big endian and Fortran order', () => {
    expect(values('big_endian.npy')).toEqual(counting.map((x) => x / 2));
    expect(decodeNpy(fixture('fortran.npy'))).toMatchObject({
      shape: [2, 3, 4],
      data: Float32Array.from(counting),
    });
  });

  it('writes the bytes that NumPy writes', () => {
    for (const name of ['f4', 'f8', 'i4', 'i8', 'u1', 'b1', 'scalar', 'empty']) {
      const bytes = fixture(`${name}.npy`);
      const { data, shape, type } = decodeNpy(bytes);
      expect(encodeNpy(data, shape, type)).toEqual(bytes);
    }
  });

  it('round-trips random shapes, and views into larger buffers', () => {
    const random = new Random(4);
    for (let round = 0; round < 40; round++) {
      const shape = Array.from({ length: random.integer(5) }, () => random.integer(5));
      const size = shape.reduce((a, b) => a * b, 1);
      const whole = random.normals(size + 3);
      const data = whole.subarray(2, size + 2);
      expect(decodeNpy(encodeNpy(data, shape))).toEqual({ shape, data: data.slice(), type: 'f8' });
    }
    const kinds: [NpyType, NpyData][] = [
      ['i2', Int16Array.of(-3, 7)],
      ['i1', Int8Array.of(-3, 7)],
      ['u2', Uint16Array.of(65535)],
      ['u4', Uint32Array.of(2 ** 32 - 1)],
      ['u8', BigUint64Array.of(2n ** 64n - 1n)],
    ];
    for (const [type, data] of kinds)
      expect(decodeNpy(encodeNpy(data))).toEqual({ shape: [data.length], data, type });
  });

  it('names what is wrong and the way out', () => {
    expect(() => decodeNpy(Uint8Array.of(1, 2, 3), 'x.npy')).toThrow('x.npy is not a .npy file');
    const descr = (text: string) => {
      const bytes = encodeNpy(Float64Array.of(1, 2));
      const header = new TextDecoder().decode(bytes.slice(10, 80)).replace("'<f8'", text).slice(0, 70);
      bytes.set(new TextEncoder().encode(header), 10);
      return bytes;
    };
    expect(() => decodeNpy(descr("'<c8'"), 'x.npy')).toThrow(/x\.npy has element type '<c8'.*a\.real/);
    expect(() => decodeNpy(descr("'<U6'"), 'x.npy')).toThrow(/'<U6'.*np\.unique\(a, return_inverse=True\)/);
    expect(() => decodeNpy(descr("'<M8'"), 'x.npy')).toThrow(/'<M8'.*astype\('int64'\)/);
    expect(() => decodeNpy(descr("'<f16'"), 'x.npy')).toThrow(/'<f16'.*astype\('float32'\)/);
    expect(() => decodeNpy(fixture('f8.npy').slice(0, 200), 'x.npy')).toThrow(
      'needs 192; the file is cut off',
    );
    expect(() => decodeNpy(fixture('f8.npy').slice(0, 60), 'x.npy')).toThrow('ends within its header');
    expect(() => encodeNpy(new Float32Array(5), [2, 3])).toThrow(
      '[2, 3] holds 6 values, but the array has 5',
    );
  });
});

describe('npz', () => {
  const inflate = (bytes: Uint8Array) => new Uint8Array(inflateRawSync(bytes));

  it('reads what numpy.savez and numpy.savez_compressed wrote', () => {
    const stored = decodeNpz(fixture('stored.npz'), 'stored.npz');
    expect([...stored.keys()].sort()).toEqual(['arr_0', 'w']);
    expect(stored.get('w')).toMatchObject({ shape: [2, 3, 4], data: Float32Array.from(counting) });
    const deflated = decodeNpz(fixture('deflated.npz'), 'deflated.npz', inflate);
    expect(deflated.get('b')?.data).toEqual(Int32Array.of(0, 1, 2, 3));
    expect(deflated.get('a')?.data).toEqual(new Float64Array(400));
  });

  it('round-trips, non-ASCII names included', () => {
    const arrays = {
      'dense/kernel': { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      ä: { data: Int32Array.of(7) },
    };
    const back = decodeNpz(encodeNpz(arrays));
    expect([...back.keys()]).toEqual(Object.keys(arrays));
    expect(back.get('dense/kernel')).toEqual({
      shape: [2, 2],
      data: Float32Array.of(1, 2, 3, 4),
      type: 'f4',
    });
    expect(encodeNpz({})).toEqual(encodeZip(new Map()));
    expect(decodeNpz(encodeNpz({})).size).toBe(0);
  });

  it('checks its sums and says what is wrong', () => {
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
    const bytes = encodeNpz({ a: { data: Float64Array.of(1, 2, 3) } });
    const damaged = bytes.slice();
    damaged[30 + 5 + 128 + 3] ^= 1;
    expect(() => decodeNpz(damaged, 'w.npz')).toThrow('w.npz: a.npy does not match its checksum');
    expect(() => decodeNpz(bytes.slice(0, 100), 'w.npz')).toThrow(
      'w.npz is not a zip archive, or it is cut off',
    );
    expect(() => decodeNpz(fixture('deflated.npz'), 'w.npz')).toThrow('instead of savez_compressed');
  });
});
