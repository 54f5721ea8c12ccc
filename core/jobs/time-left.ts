/** What a method says of how far it has come. */
export interface Reached {
  readonly phase: string;
  readonly step: number;
  readonly totalSteps: number;
  /** Share of the whole run's work done, 0–1, by the costs that its method takes its phases to have. */
  readonly fraction: number;
}

export interface TimeLeft {
  /** Milliseconds to the end; undefined while too little was measured to say anything. `atMs`: monotonic. */
  after(reached: Reached, atMs: number): number | undefined;
}

/** Before so much was measured nothing is said: opening sessions and first steps tell little of the rest. */
const leastMs = 1500;
/** A new phase is taken to be as fast as all before it, until it has shown its own speed for about so long. */
const trustMs = 3000;

interface Mark {
  readonly phase: string;
  readonly step: number;
  readonly fraction: number;
  readonly atMs: number;
}

/**
 * The rest of a phase takes as long as its steps have taken, later phases as long as the work so far. What came before the
 * first word of a job is not counted: it made no progress, and does not come again.
 */
export function createTimeLeft(): TimeLeft {
  let first: Mark | undefined;
  let start: Mark | undefined;
  return {
    after({ phase, step, totalSteps, fraction }, atMs) {
      if (fraction >= 1) return 0;
      const here = { phase, step, fraction, atMs };
      first ??= here;
      if (start?.phase !== phase) start = here;
      const spentMs = atMs - first.atMs;
      const done = fraction - first.fraction;
      if (spentMs < leastMs || done <= 0) return undefined;
      const msEach = spentMs / done;
      const phaseMs = atMs - start.atMs;
      const inPhase = fraction - start.fraction;
      const ownMsEach = (phaseMs + trustMs) / (inPhase + trustMs / msEach);
      const ofPhase = restOfPhase(start, here, totalSteps);
      return ofPhase * ownMsEach + (1 - fraction - ofPhase) * msEach;
    },
  };
}

/** Share of the run that the phase still has: its share grows evenly with its steps. */
function restOfPhase(start: Mark, { step, fraction }: Mark, totalSteps: number): number {
  if (step <= start.step) return 0;
  const share = ((fraction - start.fraction) * (totalSteps - step)) / (step - start.step);
  return Math.min(1 - fraction, Math.max(0, share));
}
