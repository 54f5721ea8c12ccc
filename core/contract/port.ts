import { z } from 'zod';

/** What the main process parses of the messages of channels.ts. */
export const PortRequest = z.strictObject({ name: z.string().max(100), params: z.unknown() });
export const PortAppend = z.strictObject({
  uploadId: z.string().max(100),
  file: z.int().min(0),
  offset: z.int().min(0),
  bytes: z.instanceof(Uint8Array),
});
export const PortArtifact = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256');
