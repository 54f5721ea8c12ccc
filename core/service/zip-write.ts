import { createHash } from 'node:crypto';
import { setImmediate as breathe } from 'node:timers/promises';
import { crc32, createDeflateRaw } from 'node:zlib';
import type { Content } from './content.ts';

/** A file that is to go into a zip file. */
export interface ZipSource {
  readonly path: string;
  /** Its bytes from the beginning, each time it is called. */
  readonly pieces: () => Iterable<Uint8Array>;
  /** Text, which shrinks; the rest is stored as it is, and read anew when it is sent. */
  readonly isText: boolean;
}

/** A source that was read once, so that all that stands before its bytes is known. */
export interface ZipPart {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly crc: number;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  /** As it stands in the zip file. */
  readonly packed: Content;
}

/** Reads a source once; only what text shrinks to is kept in memory. @throws what its reading throws */
export async function readPart({ path, pieces, isText }: ZipSource): Promise<ZipPart> {
  const hash = createHash('sha256');
  let [sizeBytes, crc] = [0, 0];
  const take = (piece: Uint8Array): void => {
    sizeBytes += piece.byteLength;
    crc = crc32(piece, crc);
    hash.update(piece);
  };
  const shrunk = isText ? await deflate(pieces(), take) : undefined;
  if (!shrunk) {
    for (const piece of pieces()) {
      take(piece);
      // Gigabytes take seconds, in which others are answered.
      await breathe();
    }
  }
  const packed = shrunk ?? { sizeBytes, pieces };
  return { path, sizeBytes, crc, sha256: hash.digest('hex'), method: shrunk ? 8 : 0, packed };
}

async function deflate(pieces: Iterable<Uint8Array>, take: (piece: Uint8Array) => void): Promise<Content> {
  const packer = createDeflateRaw({ level: 6 });
  const kept: Buffer[] = [];
  packer.on('data', (piece: Buffer) => kept.push(piece));
  const done = new Promise<void>((resolve, reject) => {
    packer.once('end', resolve).once('error', reject);
  });
  for (const piece of pieces) {
    take(piece);
    if (!packer.write(piece)) await new Promise((resolve) => packer.once('drain', resolve));
  }
  packer.end();
  await done;
  return { sizeBytes: kept.reduce((sum, { byteLength }) => sum + byteLength, 0), pieces: () => kept };
}

const versions = { plain: 20, zip64: 45 } as const;
const utf8Names = 0x0800;
/** 1 January 1980, the first there is: the same content gives the same bytes. */
const dosDate = 0x0021;
/** From here on a number stands in an extra field of 64 bits (APPNOTE 4.5.3). */
const most32 = 0xffff_ffff;
const most16 = 0xffff;

/** The zip file of the parts; its length is known before its first byte. @throws what the reading of a part throws */
export function zipOf(parts: readonly ZipPart[]): Content {
  const entries: { readonly part: ZipPart; readonly head: Buffer; readonly offset: number }[] = [];
  let offset = 0;
  for (const part of parts) {
    const head = localHeader(part);
    entries.push({ part, head, offset });
    offset += head.byteLength + part.packed.sizeBytes;
  }
  const directory = Buffer.concat(entries.map((entry) => centralHeader(entry.part, entry.offset)));
  const end = endOf(entries.length, directory.byteLength, offset);
  return {
    sizeBytes: offset + directory.byteLength + end.byteLength,
    *pieces() {
      for (const { part, head } of entries) {
        yield head;
        yield* part.packed.pieces();
      }
      yield directory;
      yield end;
    },
  };
}

const isLarge = (value: number): boolean => value >= most32;

/** Both sizes where one of them needs 64 bits; none else. */
const largeSizes = ({ sizeBytes, packed }: ZipPart): readonly number[] =>
  isLarge(sizeBytes) || isLarge(packed.sizeBytes) ? [sizeBytes, packed.sizeBytes] : [];

function localHeader(part: ZipPart): Buffer {
  const head = Buffer.alloc(30);
  head.writeUInt32LE(0x04034b50, 0);
  return Buffer.concat([head, ...writeCommon(head, 4, part, largeSizes(part))]);
}

function centralHeader(part: ZipPart, offset: number): Buffer {
  const head = Buffer.alloc(46);
  const large = [...largeSizes(part), ...[offset].filter(isLarge)];
  head.writeUInt32LE(0x02014b50, 0);
  head.writeUInt16LE(large.length > 0 ? versions.zip64 : versions.plain, 4);
  head.writeUInt32LE(Math.min(offset, most32), 42);
  return Buffer.concat([head, ...writeCommon(head, 6, part, large)]);
}

/** What both headers of a file have, from the version that is needed on. Gives name and extra field, which follow them. */
function writeCommon(head: Buffer, at: number, part: ZipPart, large: readonly number[]): readonly Buffer[] {
  const name = Buffer.from(part.path);
  const extra = extraField(large);
  const areSizesLarge = largeSizes(part).length > 0;
  head.writeUInt16LE(large.length > 0 ? versions.zip64 : versions.plain, at);
  head.writeUInt16LE(utf8Names, at + 2);
  head.writeUInt16LE(part.method, at + 4);
  head.writeUInt16LE(dosDate, at + 8);
  head.writeUInt32LE(part.crc, at + 10);
  head.writeUInt32LE(areSizesLarge ? most32 : part.packed.sizeBytes, at + 14);
  head.writeUInt32LE(areSizesLarge ? most32 : part.sizeBytes, at + 18);
  head.writeUInt16LE(name.byteLength, at + 22);
  head.writeUInt16LE(extra.byteLength, at + 24);
  return [name, extra];
}

function extraField(values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const field = Buffer.alloc(4 + 8 * values.length);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => field.writeBigUInt64LE(BigInt(value), 4 + 8 * i));
  return field;
}

function endOf(count: number, directoryBytes: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, most16), 8);
  end.writeUInt16LE(Math.min(count, most16), 10);
  end.writeUInt32LE(Math.min(directoryBytes, most32), 12);
  end.writeUInt32LE(Math.min(offset, most32), 16);
  if (count < most16 && !isLarge(directoryBytes) && !isLarge(offset)) return end;
  const large = Buffer.alloc(56 + 20);
  large.writeUInt32LE(0x06064b50, 0);
  large.writeBigUInt64LE(44n, 4);
  large.writeUInt16LE(versions.zip64, 12);
  large.writeUInt16LE(versions.zip64, 14);
  large.writeBigUInt64LE(BigInt(count), 24);
  large.writeBigUInt64LE(BigInt(count), 32);
  large.writeBigUInt64LE(BigInt(directoryBytes), 40);
  large.writeBigUInt64LE(BigInt(offset), 48);
  large.writeUInt32LE(0x07064b50, 56);
  large.writeBigUInt64LE(BigInt(offset + directoryBytes), 64);
  large.writeUInt32LE(1, 72);
  return Buffer.concat([large, end]);
}
