import { InputError } from '../../core/errors.js';

/** An array with what a file calls it. */
export interface NamedArray {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const mostHeader = 100_000_000;

/** Bytes of an element, and its value at a place; null for types that are not read. */
const readers: Readonly<Record<string, [number, (view: DataView, at: number) => number]>> = {
  F64: [8, (view, at) => view.getFloat64(at, true)],
  F32: [4, (view, at) => view.getFloat32(at, true)],
  F16: [2, (view, at) => half(view.getUint16(at, true))],
  BF16: [2, (view, at) => bfloat(view.getUint16(at, true))],
  I64: [8, (view, at) => Number(view.getBigInt64(at, true))],
  I32: [4, (view, at) => view.getInt32(at, true)],
  I16: [2, (view, at) => view.getInt16(at, true)],
  I8: [1, (view, at) => view.getInt8(at)],
  U8: [1, (view, at) => view.getUint8(at)],
  BOOL: [1, (view, at) => view.getUint8(at)],
};

function half(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function bfloat(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint16(0, bits);
  return view.getFloat32(0);
}

interface Entry {
  readonly dtype?: unknown;
  readonly shape?: unknown;
  readonly data_offsets?: unknown;
}

/**
 * The arrays of a .safetensors file, in the order of its header: eight bytes of the header's length, the header as JSON,
 * the arrays little-endian (huggingface.co/docs/safetensors). Throws an InputError for a file that is damaged or has a type
 * that is not read.
 */
export function readSafetensors(bytes: Uint8Array, file: string): NamedArray[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = bytes.length < 8 ? Number.POSITIVE_INFINITY : Number(view.getBigUint64(0, true));
  if (length > Math.min(mostHeader, bytes.length - 8))
    throw new InputError(`${file} is no .safetensors file, or it is cut off.`, { file });
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<string, Entry>;
  } catch {
    throw new InputError(`${file} is no .safetensors file: its header is not JSON.`, { file });
  }
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, entry]) => arrayOf(name, entry, view, 8 + length, file));
}

function arrayOf(name: string, entry: Entry, view: DataView, start: number, file: string): NamedArray {
  const { dtype, shape, data_offsets: offsets } = entry;
  const reader = readers[String(dtype)];
  if (!reader)
    throw new InputError(
      `${file}: ${name} has the type ${String(dtype)}; read are ${Object.keys(readers).join(', ')}. Convert it, such as by tensor.float().`,
      { file },
    );
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;
  const sizes = Array.isArray(shape) && shape.every(isCount) ? (shape as number[]) : null;
  const [from, to] = Array.isArray(offsets) && offsets.every(isCount) ? (offsets as number[]) : [];
  const count = sizes?.reduce((a, b) => a * b, 1) ?? -1;
  if (!sizes || from === undefined || to - from !== count * reader[0] || start + to > view.byteLength)
    throw new InputError(
      `${file}: ${name} is damaged: its bytes do not fit its shape. Write the file again.`,
      { file },
    );
  const [size, read] = reader;
  const values = Float32Array.from({ length: count }, (_, i) => read(view, start + from + i * size));
  return { name, shape: sizes, values };
}
