import { z } from 'zod';

/** What the scripts in reference/ print: milliseconds, one number a repeat. */
export const TorchTimes = z.object({ torch: z.string(), milliseconds: z.array(z.number()) });

/** Milliseconds of one step over repeated measurements. */
export interface StepTime {
  readonly bestMs: number;
  readonly medianMs: number;
}

export function summarise(milliseconds: readonly number[]): StepTime {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return { bestMs: sorted[0] ?? Number.NaN, medianMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}
