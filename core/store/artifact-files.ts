import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { WorkbenchError } from '../base/errors.ts';
import type { Artifact } from '../contract/run.ts';

/** What is read of a file at once. */
const pieceBytes = 2 ** 20;

/**
 * The content of an artifact in pieces of at most `atOnce` bytes, so that its size costs no memory. @throws
 * WORKSPACE_UNUSABLE when the file is missing, and after the last piece when all of them are not what the run made
 */
export function* artifactPieces(path: string, artifact: Artifact, atOnce = pieceBytes): Generator<Uint8Array> {
  const handle = open(path, artifact);
  const hash = createHash('sha256');
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(atOnce);
      const length = readSync(handle, piece, 0, atOnce, null);
      if (length === 0) break;
      hash.update(piece.subarray(0, length));
      yield piece.subarray(0, length);
    }
  } finally {
    closeSync(handle);
  }
  check(artifact, hash);
}

/** All of it at once. @throws as artifactPieces does */
export const wholeArtifact = (path: string, artifact: Artifact): Uint8Array =>
  Buffer.concat([...artifactPieces(path, artifact)]);

const hint = 'Run it again from its request to make the file anew.';

function open(path: string, { name }: Artifact): number {
  try {
    return openSync(path, 'r');
  } catch (thrown) {
    throw new WorkbenchError('WORKSPACE_UNUSABLE', `The file of artifact "${name}" is missing: ${path}`, {
      hint,
      cause: thrown,
    });
  }
}

function check({ name, sha256: expected }: Artifact, hash: Hash): void {
  const sha256 = hash.digest('hex');
  if (sha256 === expected) return;
  throw new WorkbenchError(
    'WORKSPACE_UNUSABLE',
    `The file of artifact "${name}" has changed: expected SHA-256 ${expected}, got ${sha256}`,
    { hint },
  );
}
