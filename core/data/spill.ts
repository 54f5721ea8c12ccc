import { closeSync, existsSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { WorkbenchError } from '../base/errors.ts';
import { writeError } from '../base/write-error.ts';

/** Where numbers lie in a spill file, and what they must still be. Bytes; CRC-32. */
export interface SpillPlace {
  readonly offset: number;
  readonly length: number;
  readonly crc: number;
}

/** Numbers that are too many for memory, at the end of a file. */
export interface Spill {
  write(values: Float32Array): SpillPlace;
  /** Numbers [from, to) of what was written there. @throws WORKSPACE_UNUSABLE when the file has lost them */
  read(place: SpillPlace, from: number, to: number): Float32Array<ArrayBuffer>;
  /** Whether they are there, unchanged. */
  holds(place: SpillPlace): boolean;
  /** After this no power cut takes what was written. */
  sync(): void;
  close(): Promise<void>;
}

/** Opens or makes the file; a new one (`isNew`) is empty. @throws WORKSPACE_UNUSABLE when the disk is full or read-only */
export function openSpill(path: string, { isNew }: { readonly isNew: boolean }): Spill {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw writeError(thrown, path);
    }
  };
  const handle = guarded(() => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, isNew || !existsSync(path) ? 'w+' : 'r+');
  });
  let end = fstatSync(handle).size;
  let isSynced = true;
  const readBytes = (offset: number, length: number): Uint8Array<ArrayBuffer> | undefined => {
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const read = readSync(handle, bytes, done, length - done, offset + done);
      if (read === 0) return undefined;
      done += read;
    }
    return bytes;
  };
  return {
    write(values) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      const offset = end;
      guarded(() => {
        // Behind half a piece that a full disk has left.
        for (let done = 0; done < bytes.length;)
          done += writeSync(handle, bytes, done, bytes.length - done, offset + done);
      });
      end = offset + bytes.length;
      isSynced = false;
      return { offset, length: bytes.length, crc: crc32(bytes) };
    },
    read(place, from, to) {
      const bytes = readBytes(place.offset + 4 * from, 4 * (to - from));
      if (bytes) return new Float32Array(bytes.buffer);
      throw new WorkbenchError(
        'WORKSPACE_UNUSABLE',
        `${path}: expected ${place.length} bytes at ${place.offset}, got a shorter file`,
        { hint: 'Leave the folders of runs alone while they go on; resume the run.' },
      );
    },
    holds({ offset, length, crc }) {
      const bytes = readBytes(offset, length);
      return bytes !== undefined && crc32(bytes) === crc;
    },
    sync() {
      if (!isSynced) guarded(() => fsyncSync(handle));
      isSynced = true;
    },
    async close() {
      closeSync(handle);
    },
  };
}
