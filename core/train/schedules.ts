/** Learning rate of step 0, 1, 2, … (one step is one update). Computed on the host in double precision. */
export type Schedule = (step: number) => number;

export const constantSchedule =
  (learningRate: number): Schedule =>
  () =>
    learningRate;

/** Multiplies the rate by `factor` at each milestone (PyTorch's MultiStepLR). */
export function stepSchedule(options: {
  readonly learningRate: number;
  /** Steps at which the rate drops. */
  readonly milestones: readonly number[];
  readonly factor?: number;
}): Schedule {
  const { learningRate, milestones, factor = 0.1 } = options;
  return (step) => learningRate * factor ** milestones.filter((milestone) => step >= milestone).length;
}

/** Half a cosine from `learningRate` at step 0 to `floor` at `totalSteps`, then the floor (PyTorch's CosineAnnealingLR). */
export function cosineSchedule(options: {
  readonly learningRate: number;
  readonly totalSteps: number;
  readonly floor?: number;
}): Schedule {
  const { learningRate, totalSteps, floor = 0 } = options;
  return (step) => anneal(learningRate, floor, Math.min(1, step / totalSteps));
}

/**
 * Rise to `peak` over the first `warmupFraction`, then fall to `peak / startDivisor / endDivisor`, both along a cosine;
 * the defaults are PyTorch's OneCycleLR. Smith and Topin 2018, "Super-convergence".
 */
export function oneCycleSchedule(options: {
  readonly peak: number;
  readonly totalSteps: number;
  readonly warmupFraction?: number;
  readonly startDivisor?: number;
  readonly endDivisor?: number;
}): Schedule {
  const { peak, totalSteps, warmupFraction = 0.3, startDivisor = 25, endDivisor = 1e4 } = options;
  const start = peak / startDivisor;
  const end = start / endDivisor;
  const top = warmupFraction * totalSteps - 1;
  const last = totalSteps - 1;
  return (step) =>
    step <= top
      ? anneal(start, peak, top <= 0 ? 1 : step / top)
      : anneal(peak, end, last <= top ? 1 : Math.min(1, (step - top) / (last - top)));
}

/** Linear rise from `startFraction` of the schedule's own rate to all of it over `steps`; then the schedule itself. */
export function withWarmup(schedule: Schedule, steps: number, startFraction = 0): Schedule {
  return (step) =>
    step >= steps ? schedule(step) : schedule(step) * (startFraction + (1 - startFraction) * (step / steps));
}

const anneal = (from: number, to: number, fraction: number): number =>
  to + ((from - to) / 2) * (1 + Math.cos(Math.PI * fraction));
