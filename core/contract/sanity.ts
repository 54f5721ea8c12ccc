import { z } from 'zod';
import { Normalisation } from './run.ts';

/** How a model does on a few labelled images under each pre-processing that may be meant. */
export const SanityReading = z.object({
  /** Images it was measured on. */
  count: z.int(),
  /** Accuracy of guessing. */
  chance: z.number(),
  /** Best first. */
  readings: z.array(
    z.object({
      title: z.string(),
      normalisation: Normalisation,
      accuracy: z.number(),
      /** 95 % (Wilson). */
      interval: z.tuple([z.number(), z.number()]),
      /** Mean probability of the class that it answers; a wrong pre-processing often makes it low, or absurdly high. */
      confidence: z.number(),
    }),
  ),
});
export type SanityReading = z.infer<typeof SanityReading>;
