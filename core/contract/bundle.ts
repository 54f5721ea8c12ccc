import { z } from 'zod';

/** Runs that came in by a signed bundle. */

const importOutcomes = ['added', 'extended', 'known'] as const;

export const ImportedRun = z.object({
  runId: z.string(),
  /** extended: it was here, and has gone on elsewhere since. known: nothing new. */
  outcome: z.enum(importOutcomes),
  /** It lies in the trash here, and still does. */
  isInTrash: z.boolean(),
});
export type ImportedRun = z.infer<typeof ImportedRun>;

/** Where a run came from. */
export const Origin = z.object({
  /** Fingerprint of the key that signed the bundle. */
  key: z.string(),
  atMs: z.number(),
});
export type Origin = z.infer<typeof Origin>;
