/** Milliseconds of one step over repeated measurements. */
export interface StepTime {
  readonly bestMs: number;
  readonly medianMs: number;
}

export function summarise(milliseconds: readonly number[]): StepTime {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  return { bestMs: sorted[0] ?? Number.NaN, medianMs: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN };
}
