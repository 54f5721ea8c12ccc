import { z } from 'zod';

/** What a look at the models and data says before a run: measured in seconds, never a promise. */

export const Check = z.object({
  /** Nothing to mind. */
  isGood: z.boolean(),
  /** What was found, a sentence. */
  finding: z.string(),
  /** The figure behind it, "0.02 to 3.1, median 0.4"; '' where it follows from what is asked for. */
  measured: z.string(),
  /** From where on it matters, "below 1e-12". */
  threshold: z.string(),
  /** What to do; '' where there is nothing. */
  advice: z.string(),
});
export type Check = z.infer<typeof Check>;

export const Preflight = z.object({
  facts: z.array(z.tuple([z.string(), z.string()])),
  checks: z.array(Check),
  /** Milliseconds that the run should take by what was measured; null where that says nothing of it. */
  likelyMs: z.number().nullable(),
});
export type Preflight = z.infer<typeof Preflight>;
