import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { FailureError } from '../../../core/errors.js';

export interface ZipMember {
  readonly name: string;
  /** 0 stored, 8 deflated. */
  readonly method: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Place of the member's local header in the file. */
  readonly offset: number;
}

const endSignature = 0x06054b50;
const memberSignature = 0x02014b50;
const localSignature = 0x04034b50;

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Members of a zip file (a wheel is one), read from its central directory. Throws a FailureError when it is none. */
export async function listZip(archive: string): Promise<readonly ZipMember[]> {
  const file = await openArchive(archive);
  try {
    const { size } = await file.stat();
    // The end record stands before a comment of at most 65535 bytes.
    const tail = await read(file, Math.max(0, size - 65557), Math.min(size, 65557));
    let end = tail.length - 22;
    while (end >= 0 && tail.readUInt32LE(end) !== endSignature) end--;
    if (end < 0) throw new FailureError(`${archive} is not a wheel: it has no directory of a zip file.`);
    const count = tail.readUInt16LE(end + 10);
    const length = tail.readUInt32LE(end + 12);
    const start = tail.readUInt32LE(end + 16);
    if (count === 0xffff || start === 0xffffffff)
      throw new FailureError(
        `${archive} is a zip file of the 64-bit form, which is not read here; give the folder of an installed TensorFlow by --python.`,
      );
    const directory = await read(file, start, length);
    const members: ZipMember[] = [];
    for (let at = 0, k = 0; k < count; k++) {
      if (at + 46 > directory.length || directory.readUInt32LE(at) !== memberSignature)
        throw new FailureError(`${archive} is damaged: its directory ends after ${k} of ${count} members.`);
      const nameLength = directory.readUInt16LE(at + 28);
      members.push({
        name: directory.toString('utf8', at + 46, at + 46 + nameLength),
        method: directory.readUInt16LE(at + 10),
        packedBytes: directory.readUInt32LE(at + 20),
        bytes: directory.readUInt32LE(at + 24),
        offset: directory.readUInt32LE(at + 42),
      });
      at += 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
    }
    return members;
  } finally {
    await file.close();
  }
}

/** Unpacks members to the paths that `target` names; the data stream through, so size does not matter. */
export async function unzip(
  archive: string,
  members: readonly ZipMember[],
  target: (member: ZipMember) => string,
): Promise<void> {
  const file = await openArchive(archive);
  try {
    for (const member of members) {
      const destination = target(member);
      await mkdir(path.dirname(destination), { recursive: true });
      const header = await read(file, member.offset, 30);
      if (header.length < 30 || header.readUInt32LE(0) !== localSignature)
        throw new FailureError(`${archive} is damaged at ${member.name}.`);
      if (member.method !== 0 && member.method !== 8)
        throw new FailureError(
          `${archive} packs ${member.name} by method ${member.method}; only stored and deflated are read.`,
        );
      const start = member.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
      const out = createWriteStream(destination);
      if (member.packedBytes === 0) {
        out.end();
        continue;
      }
      const source = createReadStream(archive, {
        start,
        end: start + member.packedBytes - 1,
        highWaterMark: 1 << 20,
      });
      if (member.method === 0) await pipeline(source, out);
      else await pipeline(source, createInflateRaw({ chunkSize: 1 << 20 }), out);
      if (out.bytesWritten !== member.bytes)
        throw new FailureError(`${archive} is damaged: ${member.name} came out shorter than it says.`);
    }
  } finally {
    await file.close();
  }
}

async function openArchive(archive: string): Promise<FileHandle> {
  try {
    return await open(archive);
  } catch {
    throw new FailureError(`${archive} cannot be read; give the path of an existing wheel file.`);
  }
}
