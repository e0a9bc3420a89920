/** The .npz format: a zip archive of .npy members. Written stored (as numpy.savez does), at most 4 GiB in all. */
import { decodeNpy, encodeNpy, type NpyArray, type NpyData } from './npy.js';

/** What one member is written from; `shape` defaults to [length]. */
export interface NpzEntry {
  readonly data: NpyData;
  readonly shape?: readonly number[];
}

/**
 * Undoes raw deflate (RFC 1951) into at most so many bytes, which is what the archive says that comes out; Node's
 * `inflateRawSync` is one. Injected: core knows no platform.
 */
export type Inflate = (bytes: Uint8Array, limits: { readonly maxOutputLength: number }) => Uint8Array;

/** Bytes that an archive may unpack to: this much, or so many times its own size. */
const unpacked = { least: 2 ** 28, ratio: 64 } as const;

const crcTable = (() => {
  const table = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    let c = i;
    for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
    table[i] = c >>> 0;
  }
  return table;
})();

/** CRC-32 as in zip (polynomial 0xEDB88320). */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) c = crcTable[(c ^ bytes[i]) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const out: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] !== '%') out.push(escaped.charCodeAt(i));
    else {
      out.push(Number.parseInt(escaped.slice(i + 1, i + 3), 16));
      i += 2;
    }
  }
  return Uint8Array.from(out);
}

function fromUtf8(bytes: Uint8Array): string {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return String.fromCharCode(...bytes);
  }
}

// 1980-01-01, the earliest date of zip: the same arrays give the same bytes at any time.
const zipDate = 0x21;
const utf8Flag = 0x800;

/** The fields that the local header and the central directory share, from `version needed` to the name's length. */
function writeCommon(view: DataView, at: number, crc: number, size: number, nameLength: number): void {
  view.setUint16(at, 20, true);
  view.setUint16(at + 2, utf8Flag, true);
  view.setUint16(at + 4, 0, true);
  view.setUint16(at + 6, 0, true);
  view.setUint16(at + 8, zipDate, true);
  view.setUint32(at + 10, crc, true);
  view.setUint32(at + 14, size, true);
  view.setUint32(at + 18, size, true);
  view.setUint16(at + 22, nameLength, true);
}

/** A stored zip archive of the given files. Throws a RangeError beyond 65,535 members or 4 GiB. */
export function encodeZip(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const members = [...files].map(([name, bytes]) => ({ name: utf8(name), bytes, crc: crc32(bytes), at: 0 }));
  let total = 22;
  for (const m of members) total += 30 + 46 + 2 * m.name.length + m.bytes.length;
  if (members.length > 0xffff || total >= 0xffffffff)
    throw new RangeError(
      `The archive would hold ${members.length} members and ${total} bytes; at most 65535 members and 4 GiB ` +
        'are written. Write the arrays as separate .npy files.',
    );
  const out = new Uint8Array(total);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const m of members) {
    m.at = at;
    view.setUint32(at, 0x04034b50, true);
    writeCommon(view, at + 4, m.crc, m.bytes.length, m.name.length);
    out.set(m.name, at + 30);
    out.set(m.bytes, at + 30 + m.name.length);
    at += 30 + m.name.length + m.bytes.length;
  }
  const directory = at;
  for (const m of members) {
    view.setUint32(at, 0x02014b50, true);
    view.setUint16(at + 4, 20, true);
    writeCommon(view, at + 6, m.crc, m.bytes.length, m.name.length);
    view.setUint32(at + 42, m.at, true);
    out.set(m.name, at + 46);
    at += 46 + m.name.length;
  }
  view.setUint32(at, 0x06054b50, true);
  view.setUint16(at + 8, members.length, true);
  view.setUint16(at + 10, members.length, true);
  view.setUint32(at + 12, at - directory, true);
  view.setUint32(at + 16, directory, true);
  return out;
}

/**
 * The files of a zip archive by name. Deflated members need `inflate`. Throws a RangeError with a whole sentence when
 * the archive is damaged, encrypted, zip64 with huge members, or compressed in a way that is not read.
 */
export function decodeZip(
  bytes: Uint8Array,
  name = 'The archive',
  inflate?: Inflate,
): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) throw new RangeError(`${name} is not a zip archive, or it is cut off: it has no end record.`);
  const files = new Map<string, Uint8Array>();
  for (const { member, method, crc, size, body } of membersOf(bytes, view, end, name)) {
    if (method !== 0 && (method !== 8 || !inflate))
      throw new RangeError(
        `${name}: ${member} is compressed (method ${method}); save it with numpy.savez instead of savez_compressed.`,
      );
    const content =
      method === 0
        ? body
        : inflated(() => (inflate as Inflate)(body, { maxOutputLength: Math.max(1, size) }), name, member);
    if (content.length !== size || crc32(content) !== crc)
      throw new RangeError(`${name}: ${member} does not match its checksum; the file is damaged.`);
    files.set(member, content);
  }
  return files;
}

function inflated(work: () => Uint8Array, name: string, member: string): Uint8Array {
  try {
    return work();
  } catch (error) {
    throw new RangeError(
      `${name}: ${member} cannot be unpacked (${(error as Error).message}); the file is damaged. Write it again.`,
    );
  }
}

interface Member {
  readonly member: string;
  readonly method: number;
  readonly crc: number;
  readonly size: number;
  readonly body: Uint8Array;
  readonly start: number;
}

/** The members of an archive, of which nothing is unpacked before all of them are found to be apart and not too large. */
function membersOf(bytes: Uint8Array, view: DataView, end: number, name: string): Member[] {
  const members: Member[] = [];
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < view.getUint16(end + 10, true); i++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== 0x02014b50)
      throw new RangeError(`${name} has a damaged directory at member ${i}; write it again.`);
    const packed = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const member = fromUtf8(bytes.subarray(at + 46, at + 46 + nameLength));
    const local = view.getUint32(at + 42, true);
    if (view.getUint16(at + 8, true) & 1)
      throw new RangeError(`${name}: ${member} is encrypted; save it without.`);
    if (packed === 0xffffffff || local === 0xffffffff)
      throw new RangeError(`${name}: ${member} is larger than 4 GiB; save it as a .npy file.`);
    if (local + 30 > bytes.length || view.getUint32(local, true) !== 0x04034b50)
      throw new RangeError(`${name} has a damaged header of ${member}; write it again.`);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const body = bytes.subarray(start, start + packed);
    if (body.length < packed) throw new RangeError(`${name} ends within ${member}; the file is cut off.`);
    members.push({
      member,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      size: view.getUint32(at + 24, true),
      body,
      start,
    });
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  const inOrder = members.filter(({ body }) => body.length > 0).sort((a, b) => a.start - b.start);
  for (const [i, { start, member }] of inOrder.entries())
    if (i > 0 && inOrder[i - 1].start + inOrder[i - 1].body.length > start)
      throw new RangeError(
        `${name}: ${member} lies on top of another member; the file is damaged. Write it again.`,
      );
  const total = members.reduce((sum, { size }) => sum + size, 0);
  const most = Math.max(unpacked.least, unpacked.ratio * bytes.length);
  if (total > most)
    throw new RangeError(
      `${name} has ${megabytes(bytes.length)} MB and unpacks to ${megabytes(total)} MB; of a file of its size up to ${megabytes(most)} MB are unpacked. Save it with numpy.savez instead of savez_compressed.`,
    );
  return members;
}

const megabytes = (size: number): string => (size / 1e6).toFixed(size < 1e7 ? 1 : 0);

/** The bytes of a .npz file with one array a name (without `.npy`). Errors as in `encodeZip` and `encodeNpy`. */
export function encodeNpz(arrays: Readonly<Record<string, NpzEntry>>): Uint8Array {
  const files = new Map<string, Uint8Array>();
  for (const [name, { data, shape }] of Object.entries(arrays))
    files.set(`${name}.npy`, encodeNpy(data, shape));
  return encodeZip(files);
}

/**
 * The arrays of a .npz file by name (without `.npy`), in the order of the archive. `name` is how messages call the file.
 * Errors as in `decodeZip` and `decodeNpy`.
 */
export function decodeNpz(bytes: Uint8Array, name = 'The archive', inflate?: Inflate): Map<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  for (const [member, content] of decodeZip(bytes, name, inflate))
    arrays.set(member.replace(/\.npy$/, ''), decodeNpy(content, `${name}: ${member}`));
  return arrays;
}
