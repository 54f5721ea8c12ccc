import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { artifactFile } from '../contract/layout.ts';
import type { Artifact } from '../contract/run.ts';
import type { ArtifactContent, MethodEvent } from '../methods/context.ts';
import { sha256Of } from './canonical-json.ts';
import { discard, moveDurably, sha256OfFile, writeDurably, type FileSystem } from './durable-files.ts';

/**
 * Writes an artifact's file into the workspace, under its SHA-256, and gives what the history keeps of it. A file that is
 * there already gets the present time (`atMs`, since 1970), so that nobody who frees space takes it for an old one.
 */
export function storeArtifact(
  workspaceDir: string,
  event: Extract<MethodEvent, { type: 'artifact' }>,
  atMs: number,
  fs?: FileSystem,
): Artifact {
  const { content, name, title, meta = {} } = event;
  if ('file' in content) {
    const { sha256, sizeBytes } = sha256OfFile(content.file);
    const path = join(workspaceDir, artifactFile(sha256));
    if (isThere(path, sizeBytes, atMs)) discard(content.file);
    else moveDurably(content.file, path, fs);
    return { name, title, mediaType: content.mediaType, sha256, sizeBytes, meta };
  }
  const { bytes, mediaType } = bytesOf(content);
  const sha256 = sha256Of(bytes);
  const path = join(workspaceDir, artifactFile(sha256));
  if (!isThere(path, bytes.byteLength, atMs)) writeDurably(path, [bytes], fs);
  return { name, title, mediaType, sha256, sizeBytes: bytes.byteLength, meta };
}

function isThere(path: string, sizeBytes: number, atMs: number): boolean {
  try {
    utimesSync(path, atMs / 1000, atMs / 1000);
    return statSync(path).size === sizeBytes;
  } catch {
    // It is not, or is another user's: then it is replaced by one of ours.
    return false;
  }
}

function bytesOf(content: Exclude<ArtifactContent, { file: string }>): { bytes: Uint8Array; mediaType: string } {
  if ('bytes' in content) return content;
  return { bytes: new TextEncoder().encode(JSON.stringify(content.json)), mediaType: 'application/json' };
}
