import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decodeNpy, encodeNpy, toFloat64 } from '../../src/core/npy.js';
import { parseHeader } from '../../src/core/npyHeader.js';
import { crc32, decodeNpz } from '../../src/core/npz.js';

/** A .npy of version 2 with any header. */
function withHeader(header: string, body = new Uint8Array(0)): Uint8Array {
  const text = new TextEncoder().encode(header);
  const out = new Uint8Array(12 + text.length + body.length);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 2, 0]);
  new DataView(out.buffer).setUint32(8, text.length, true);
  out.set(text, 12);
  out.set(body, 12 + text.length);
  return out;
}

describe('the header of a .npy file', () => {
  it('is read as Python writes it, in any order and with any quotes', () => {
    const two = new Uint8Array(Float64Array.of(1, 2).buffer);
    for (const header of [
      `{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n`,
      `{"shape": (2L,), "fortran_order": True, "descr": "<f8"}`,
      `{ 'shape':(2,1),'descr':'<f8' , 'fortran_order':False}   \n`,
    ])
      expect(Array.from(toFloat64(decodeNpy(withHeader(header, two)))), header).toEqual([1, 2]);
  });

  it.each([
    ['', 'no NumPy dictionary'],
    ['{', 'no NumPy dictionary'],
    [`{'descr': '<f8', 'fortran_order': False}`, 'no NumPy dictionary'],
    [`{'descr': '<f8', 'fortran_order': 1, 'shape': ()}`, 'no NumPy dictionary'],
    [`{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}`, 'no NumPy dictionary'],
    [`{'descr': '<f8', 'fortran_order': False, 'shape': (${'1,'.repeat(65)})}`, 'no NumPy dictionary'],
    [`{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,)}`, 'type of records'],
    [`{'descr': '__proto__', 'fortran_order': False, 'shape': ()}`, "type '__proto__'"],
    [`{'descr': '<f8', 'fortran_order': False, 'shape': (9007199254740991, 3)}`, 'more than any file holds'],
    [`{'descr': '<f8', 'fortran_order': False, 'shape': (999999999,)}`, 'the file is cut off'],
  ])('is refused in a sentence: %s', (header, why) => {
    expect(() => decodeNpy(withHeader(header), 'x.npy')).toThrow(why);
    expect(() => decodeNpy(withHeader(header), 'x.npy')).toThrow(/^x\.npy .*\.$/);
  });

  it('is gone over a few times at most, whatever it holds, and has a longest that is read', () => {
    const looks = (header: string): number => {
      const bytes = new TextEncoder().encode(header);
      let count = 0;
      const counted = new Proxy(bytes, {
        get: (target, key) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) count++;
          const value = Reflect.get(target, key, target);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      expect(parseHeader(counted)).toBeNull();
      return count / bytes.length;
    };
    for (const piece of ["'descr':", '[', "['a',", ' ', '1', '(', '}{', "'"])
      for (const start of ['{', "{'descr': ", "{'shape': (", "{'descr': '"])
        expect(looks(`${start}${piece.repeat(3000)}`), `${start}${piece}`).toBeLessThan(8);
    expect(() => decodeNpy(withHeader(`{'descr':${' '.repeat(70_000)}`), 'x.npy')).toThrow(
      'x.npy has a header of 70009 bytes; up to 65535 are read',
    );
  });
});

/** A zip of deflated members; `lie` changes the size that the directory gives. */
function deflated(
  members: readonly (readonly [string, Uint8Array])[],
  lie = (size: number) => size,
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of members) {
    const packed = new Uint8Array(deflateRawSync(bytes));
    const text = new TextEncoder().encode(name);
    const common = (view: DataView, from: number) => {
      view.setUint16(from, 20, true);
      view.setUint16(from + 4, 8, true);
      view.setUint32(from + 10, crc32(bytes), true);
      view.setUint32(from + 14, packed.length, true);
      view.setUint32(from + 18, lie(bytes.length), true);
      view.setUint16(from + 22, text.length, true);
    };
    const local = new Uint8Array(30 + text.length);
    const localView = new DataView(local.buffer);
    localView.setUint32(0, 0x04034b50, true);
    common(localView, 4);
    local.set(text, 30);
    const entry = new Uint8Array(46 + text.length);
    const entryView = new DataView(entry.buffer);
    entryView.setUint32(0, 0x02014b50, true);
    common(entryView, 6);
    entryView.setUint32(42, at, true);
    entry.set(text, 46);
    parts.push(local, packed);
    directory.push(entry);
    at += local.length + packed.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = new Uint8Array(22);
  const view = new DataView(end.buffer);
  view.setUint32(0, 0x06054b50, true);
  view.setUint16(10, members.length, true);
  view.setUint32(12, size, true);
  view.setUint32(16, at, true);
  return new Uint8Array(Buffer.concat([...parts, ...directory, end]));
}

const zeros = (size: number): readonly [string, Uint8Array] => [
  'x.npy',
  encodeNpy(new Uint8Array(size), [size]),
];

describe('a .npz archive', () => {
  it('is unpacked while it is of a size that people have', () => {
    const read = decodeNpz(deflated([zeros(4_000_000)]), 'w.npz', inflateRawSync);
    expect(read.get('x')?.shape).toEqual([4_000_000]);
  });

  it('is refused before anything is unpacked that is out of proportion', () => {
    const bomb = deflated([zeros(1000)], () => 3_900_000_000);
    let unpacked = 0;
    const counting: typeof inflateRawSync = (...given) => {
      unpacked++;
      return inflateRawSync(...given);
    };
    expect(() => decodeNpz(bomb, 'w.npz', counting)).toThrow(
      /^w\.npz has 0\.0 MB and unpacks to 3900 MB; of a file of its size up to 268 MB are unpacked/,
    );
    expect(unpacked).toBe(0);
  });

  it('is not unpacked beyond what its directory says', () => {
    expect(() =>
      decodeNpz(
        deflated([zeros(1_000_000)], () => 500),
        'w.npz',
        inflateRawSync,
      ),
    ).toThrow(/^w\.npz: x\.npy cannot be unpacked \(.*\); the file is damaged\. Write it again\.$/);
  });

  it('is refused where members lie on one body', () => {
    const one = deflated([zeros(1000)]);
    const at = new DataView(one.buffer).getUint32(one.length - 6, true);
    const entry = one.slice(at, one.length - 22);
    const end = one.slice(-22);
    new DataView(end.buffer).setUint16(10, 40, true);
    const bytes = Buffer.concat([one.slice(0, at), ...Array.from({ length: 40 }, () => entry), end]);
    expect(() => decodeNpz(new Uint8Array(bytes), 'w.npz', inflateRawSync)).toThrow(
      'lies on top of another member',
    );
  });
});
