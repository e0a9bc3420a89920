import { mostHeader, parseHeader } from './npyHeader.js';

/**
 * The .npy format of NumPy (NEP 1), versions 1 and 2. Written: little endian, C order. Read: also big endian and Fortran
 * order, which are converted.
 */
export type NpyData =
  | Float32Array
  | Float64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

export type NpyType = 'f2' | 'f4' | 'f8' | 'i1' | 'i2' | 'i4' | 'i8' | 'u1' | 'u2' | 'u4' | 'u8' | 'b1';

export interface NpyArray {
  readonly shape: readonly number[];
  /** Row-major (C order). Booleans (`b1`) are bytes 0 and 1; half precision (`f2`) is widened to float32. */
  readonly data: NpyData;
  /** NumPy's name of the element type, without byte order. */
  readonly type: NpyType;
}

/** IEEE 754 half precision, exact in float32. */
function widened(halves: Uint16Array): Float32Array {
  return Float32Array.from(halves, (half) => {
    const [exponent, fraction] = [(half >> 10) & 31, half & 1023];
    const sign = half >> 15 ? -1 : 1;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
  });
}

const readers: Record<NpyType, { bytes: number; make: (buffer: ArrayBuffer) => NpyData }> = {
  f2: { bytes: 2, make: (b) => widened(new Uint16Array(b)) },
  f4: { bytes: 4, make: (b) => new Float32Array(b) },
  f8: { bytes: 8, make: (b) => new Float64Array(b) },
  i1: { bytes: 1, make: (b) => new Int8Array(b) },
  i2: { bytes: 2, make: (b) => new Int16Array(b) },
  i4: { bytes: 4, make: (b) => new Int32Array(b) },
  i8: { bytes: 8, make: (b) => new BigInt64Array(b) },
  u1: { bytes: 1, make: (b) => new Uint8Array(b) },
  u2: { bytes: 2, make: (b) => new Uint16Array(b) },
  u4: { bytes: 4, make: (b) => new Uint32Array(b) },
  u8: { bytes: 8, make: (b) => new BigUint64Array(b) },
  b1: { bytes: 1, make: (b) => new Uint8Array(b) },
};

function typeOf(data: NpyData): NpyType {
  if (data instanceof Float32Array) return 'f4';
  if (data instanceof Float64Array) return 'f8';
  if (data instanceof Int32Array) return 'i4';
  if (data instanceof Int16Array) return 'i2';
  if (data instanceof Int8Array) return 'i1';
  if (data instanceof Uint8Array) return 'u1';
  if (data instanceof Uint16Array) return 'u2';
  if (data instanceof Uint32Array) return 'u4';
  if (data instanceof BigInt64Array) return 'i8';
  return 'u8';
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Reverses the bytes of every element; NumPy on big-endian machines writes such files. */
function swap(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

const littleEndianHost = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * The bytes of a .npy file. `shape` is row-major and defaults to [length]; `type` defaults to that of the array's class
 * (pass 'b1' with a Uint8Array for booleans). Throws a RangeError when shape and length differ.
 */
export function encodeNpy(
  data: NpyData,
  shape: readonly number[] = [data.length],
  type = typeOf(data),
): Uint8Array {
  if (count(shape) !== data.length)
    throw new RangeError(
      `The shape [${shape.join(', ')}] holds ${count(shape)} values, but the array has ${data.length}.`,
    );
  // What was read as half precision is held, and written, as float32.
  const written = type === 'f2' ? 'f4' : type;
  const order = readers[written].bytes === 1 ? '|' : '<';
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  let header = `{'descr': '${order}${written}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The data starts at a multiple of 64 bytes; the header ends with a line feed.
  const wide = header.length + 11 + 64 > 65535;
  const fixed = wide ? 12 : 10;
  header = `${header.padEnd(Math.ceil((fixed + header.length + 1) / 64) * 64 - fixed - 1)}\n`;
  const start = fixed + header.length;
  const out = new Uint8Array(start + data.byteLength);
  out.set(magic);
  out[6] = wide ? 2 : 1;
  const view = new DataView(out.buffer);
  if (wide) view.setUint32(8, header.length, true);
  else view.setUint16(8, header.length, true);
  for (let i = 0; i < header.length; i++) out[fixed + i] = header.charCodeAt(i);
  const body = out.subarray(start);
  body.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  if (!littleEndianHost) swap(body, readers[written].bytes);
  return out;
}

interface Header {
  readonly type: NpyType;
  readonly big: boolean;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly start: number;
}

function readHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte))
    throw new RangeError(`${name} is not a .npy file: it does not start with the NumPy magic bytes.`);
  const version = bytes[6];
  if (version < 1 || version > 3)
    throw new RangeError(
      `${name} has .npy version ${version}; versions 1 to 3 are read. Save it with numpy.save.`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fixed = version === 1 ? 10 : 12;
  const length =
    bytes.length < fixed ? Infinity : version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = fixed + length;
  if (length > mostHeader && start <= bytes.length)
    throw new RangeError(
      `${name} has a header of ${length} bytes; up to ${mostHeader} are read. Save the array with numpy.save.`,
    );
  if (start > bytes.length) throw new RangeError(`${name} ends within its header; the file is cut off.`);
  const dictionary = parseHeader(bytes.subarray(fixed, start));
  if (!dictionary)
    throw new RangeError(`${name} has a header that is no NumPy dictionary; the file is damaged.`);
  const { descr, fortran, shape } = dictionary;
  const kind = descr === null ? null : /^([<>|=]?)([a-zA-Z]\d{1,2})$/.exec(descr);
  if (!kind || !Object.hasOwn(readers, kind[2]))
    throw new RangeError(
      `${name} has element type ${descr === null ? 'of records' : `'${descr.slice(0, 20)}'`}; allowed are ${Object.keys(readers).join(', ')}. ` +
        `Convert it in NumPy, for example with ${conversionOf(descr ?? '')}.`,
    );
  if (!Number.isSafeInteger(count(shape)))
    throw new RangeError(`${name} has the shape [${shape.join(', ')}], which is more than any file holds.`);
  return { type: kind[2] as NpyType, big: kind[1] === '>', fortran, shape, start };
}

/** What turns an element type that is not read into one that is. */
function conversionOf(found: string): string {
  if (/^[<>|=]?[USO]/.test(found)) return 'np.unique(a, return_inverse=True)[1]';
  if (/^[<>|=]?[Mm]/.test(found)) return "a.astype('int64')";
  return /^[<>|=]?c/.test(found) ? 'a.real' : "a.astype('float32')";
}

/** Column-major to row-major, element by element in the order of the output. */
function reorder(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  const index = new Array<number>(shape.length).fill(0);
  const strides = shape.map((_, axis) => count(shape.slice(0, axis)));
  for (let at = 0; at < out.length; at += size) {
    let from = 0;
    for (let axis = 0; axis < shape.length; axis++) from += index[axis] * strides[axis];
    out.set(bytes.subarray(from * size, (from + 1) * size), at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]++;
      if (index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

/**
 * Reads a .npy file; `name` is how messages call it. The result owns its memory. Throws a RangeError with a whole
 * sentence when the file is not .npy, is cut off, or has an element type that is not read (strings, objects, complex,
 * records, long double).
 */
export function decodeNpy(bytes: Uint8Array, name = 'The array'): NpyArray {
  const header = readHeader(bytes, name);
  const { bytes: size, make } = readers[header.type];
  const length = count(header.shape) * size;
  if (header.start + length > bytes.length)
    throw new RangeError(
      `${name} holds ${bytes.length - header.start} bytes of data, but its shape ` +
        `[${header.shape.join(', ')}] needs ${length}; the file is cut off.`,
    );
  // Not `bytes.slice`: Node's Buffer returns a view there, and `.buffer` would be the whole pool.
  let body: Uint8Array = Uint8Array.prototype.slice.call(bytes, header.start, header.start + length);
  if (header.big === littleEndianHost) swap(body, size);
  if (header.fortran && header.shape.length > 1) body = reorder(body, header.shape, size);
  return { shape: header.shape, data: make(body.buffer as ArrayBuffer), type: header.type };
}

/** The values as float64 (64-bit integers lose digits beyond 2^53). */
export function toFloat64(array: NpyArray): Float64Array {
  if (array.data instanceof Float64Array) return array.data;
  return Float64Array.from(array.data as ArrayLike<number | bigint>, Number);
}
