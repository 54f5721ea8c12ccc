import type { RunScale } from './define.ts';

/* What several methods say of their memory and disk before a run. Bytes; 0 for a model that is not known. */

/** One image of a model's input as float32. */
export function imageBytes({ models }: RunScale, role: string): number {
  return 4 * (models[role]?.shape.reduce((a, b) => a * b, 1) ?? 0);
}

/** The weights of a model as float32. */
export const weightBytes = ({ models }: RunScale, role: string): number => 4 * (models[role]?.parameters ?? 0);

/** Processes for `asked` (0: one for each thread), but no more than things are done side by side. */
export const lanesOf = ({ threads }: RunScale, asked: number, atOnce: number): number =>
  Math.max(1, Math.min(asked === 0 ? threads : asked, atOnce));

/** What a batched training keeps ready for its next steps, measured. */
export const feedBytes = 2 ** 27;
/** Documents and pictures of a report. */
export const reportBytes = 3e5;
