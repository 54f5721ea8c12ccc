import { z } from 'zod';

/** What is known about a data set: counts, classes, histogram and samples. */

export const DataCard = z.object({
  path: z.string(),
  title: z.string(),
  format: z.string(),
  split: z.enum(['train', 'test', 'all']),
  count: z.int(),
  /** [channels, height, width] of every item as stored. */
  shape: z.array(z.int()),
  /** One entry for each class, by number; null when there are no labels. */
  classes: z.array(z.object({ label: z.int(), name: z.string().nullable(), count: z.int() })).nullable(),
  fingerprint: z.string(),
  /** Seeded sample in order of class; each is a PNG as a data: URI with its item number and label. */
  samples: z.array(z.object({ index: z.int(), label: z.int().nullable(), png: z.string() })),
});
export type DataCard = z.infer<typeof DataCard>;

export const KnownData = z.object({
  path: z.string(),
  name: z.string(),
  origin: z.enum(['uploaded', 'opened']),
  format: z.string(),
  count: z.int(),
  classCount: z.int().nullable(),
  shape: z.array(z.int()),
  lastUsedAtMs: z.number().nullable(),
  isMissing: z.boolean(),
});
export type KnownData = z.infer<typeof KnownData>;
