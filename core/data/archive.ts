import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Zip, ZipPassThrough } from 'fflate';
import { writeError } from '../base/write-error.ts';

/** Pieces of one file of an archive. */
type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** A .zip holds no more files than this. */
export const mostArchived = 65_535;

/**
 * Writes a .zip piece by piece, so that it may be larger than memory; not packed, and the same pieces give the same bytes.
 * Each file and the whole must stay below 4 GiB. `fill` adds the files, one after the other.
 * @throws WORKSPACE_UNUSABLE when the disk is full or cannot be written, and what `fill` or the pieces throw
 */
export async function writeArchive(
  path: string,
  fill: (add: (name: string, pieces: Pieces) => Promise<void>) => Promise<void>,
): Promise<void> {
  await writeFileInPieces(path, async (write) => {
    const zip = new Zip((error, bytes) => {
      if (error) throw error;
      write(bytes);
    });
    await fill(async (name, pieces) => {
      const file = new ZipPassThrough(name);
      file.mtime = new Date(1980, 0, 1);
      zip.add(file);
      for await (const piece of pieces) file.push(piece);
      file.push(new Uint8Array(0), true);
    });
    zip.end();
  });
}

/** Writes lines of text, each with its end, piece by piece. */
export async function writeLines(
  path: string,
  lines: Iterable<string>,
  end: string,
  pause: () => Promise<void>,
): Promise<void> {
  await writeFileInPieces(path, async (write) => {
    let text = '';
    for (const line of lines) {
      text += line + end;
      if (text.length < 2 ** 18) continue;
      write(new TextEncoder().encode(text));
      text = '';
      await pause();
    }
    write(new TextEncoder().encode(text));
  });
}

async function writeFileInPieces(
  path: string,
  fill: (write: (bytes: Uint8Array) => void) => Promise<void>,
): Promise<void> {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw writeError(thrown, path);
    }
  };
  const handle = guarded(() => {
    mkdirSync(dirname(path), { recursive: true });
    return openSync(path, 'w');
  });
  try {
    await fill((bytes) =>
      guarded(() => {
        for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
      }),
    );
  } finally {
    closeSync(handle);
  }
}
