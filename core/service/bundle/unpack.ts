import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { WorkbenchError } from '../../base/errors.ts';
import { artifactFile } from '../../contract/layout.ts';
import { writeDurably } from '../../jobs/durable-files.ts';
import { openBundle } from './read.ts';
import { fingerprintOf } from './signing-key.ts';

export const UnpackAsked = z.strictObject({
  path: z.string(),
  workspaceDir: z.string(),
  /** Refuse a bundle that another key has signed. */
  expectedKey: z.string().optional(),
});
export type UnpackAsked = z.infer<typeof UnpackAsked>;

export const Unpacked = z.object({
  /** Fingerprint of the key that signed the bundle. */
  key: z.string(),
  /** SHA-256 of the manifest, which names the hash of every other file. */
  manifest: z.string(),
});
export type Unpacked = z.infer<typeof Unpacked>;

/**
 * Checks everything in a bundle, then writes the files of its artifacts into the workspace, where no run has them yet. In
 * a process apart from the host: this can take long. @throws BUNDLE_UNREADABLE
 */
export function unpackBundle({ path, workspaceDir, expectedKey }: UnpackAsked): Unpacked {
  const bundle = openBundle(path, workspaceDir);
  try {
    const key = fingerprintOf(bundle.manifest.publicKey);
    if (expectedKey !== undefined && expectedKey.toLowerCase() !== key) {
      throw new WorkbenchError('BUNDLE_UNREADABLE', `The bundle was signed by ${key}, expected ${expectedKey}`, {
        hint: 'Ask the one who made it for the fingerprint of the key.',
      });
    }
    const artifacts = new Map(bundle.manifest.runs.flatMap((runId) => bundle.check(runId)));
    // Every file is read, and so checked, before the first one is written.
    for (const sha256 of artifacts.keys()) readThrough(bundle.artifact(sha256));
    for (const [sha256, sizeBytes] of artifacts) {
      const target = join(workspaceDir, artifactFile(sha256));
      if (statSync(target, { throwIfNoEntry: false })?.size !== sizeBytes)
        writeDurably(target, bundle.artifact(sha256));
    }
    return { key, manifest: bundle.manifestSha256 };
  } finally {
    bundle.close();
  }
}

function readThrough(pieces: Iterable<Uint8Array>): number {
  let sizeBytes = 0;
  for (const piece of pieces) sizeBytes += piece.byteLength;
  return sizeBytes;
}
