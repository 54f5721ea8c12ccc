import { dot, largest, moved, type Evaluate, type Evaluated } from './lbfgs-vectors.ts';

/** A line through `x` along `direction`, and what is known at its start. */
export interface Line {
  readonly x: Float64Array<ArrayBuffer>;
  readonly direction: Float64Array<ArrayBuffer>;
  readonly from: Evaluated;
  /** Derivative along the line at the start, negative. */
  readonly slope: number;
  /** The step length to try first. */
  readonly first: number;
  readonly changeTolerance: number;
}

export interface Found {
  readonly stepLength: number;
  readonly at: Evaluated;
  readonly evaluations: number;
}

/** A point of the line. */
interface Trial {
  readonly length: number;
  readonly at: Evaluated;
  readonly slope: number;
}

const sufficientDecrease = 1e-4;
const curvatureShare = 0.9;
const mostTrials = 25;

/**
 * A step length that satisfies the strong Wolfe conditions with c1 = 1e-4 and c2 = 0.9, by cubic interpolation, first
 * widening until an interval is found, then narrowing it (Nocedal and Wright 2006, algorithms 3.5 and 3.6); at most 25
 * trials after the first. The trials are those of torch.optim.LBFGS with 'strong_wolfe'.
 */
export async function strongWolfe(evaluate: Evaluate, line: Line): Promise<Found> {
  const { x, direction, from, slope } = line;
  let evaluations = 0;
  const attempt = async (length: number): Promise<Trial> => {
    evaluations++;
    const at = await evaluate(moved(x, direction, length));
    return { length, at, slope: dot(at.gradient, direction) };
  };
  const isTooHigh = ({ length, at }: Trial): boolean => at.loss > from.loss + sufficientDecrease * length * slope;
  const isFlat = (trial: Trial): boolean => Math.abs(trial.slope) <= -curvatureShare * slope;
  const found = ({ length, at }: Trial): Found => ({ stepLength: length, at, evaluations });

  const start: Trial = { length: 0, at: from, slope };
  let previous = start;
  let current = await attempt(line.first);
  let trials = 0;
  let interval: [Trial, Trial] | undefined;
  for (; trials < mostTrials && interval === undefined;) {
    if (isTooHigh(current) || (trials > 1 && current.at.loss >= previous.at.loss)) interval = [previous, current];
    else if (isFlat(current)) return found(current);
    else if (current.slope >= 0) interval = [previous, current];
    else {
      const least = current.length + 0.01 * (current.length - previous.length);
      const next = cubicMinimum(previous, current, least, 10 * current.length);
      previous = current;
      current = await attempt(next);
      trials++;
    }
  }
  let [a, b] = interval ?? [start, current];
  let isSlow = false;
  let isDone = interval === undefined;
  const lower = (): Trial => (a.at.loss <= b.at.loss ? a : b);
  let low = lower();
  const width = largest(direction);
  while (!isDone && trials < mostTrials) {
    if (Math.abs(b.length - a.length) * width < line.changeTolerance) break;
    const [left, right] = a.length <= b.length ? [a.length, b.length] : [b.length, a.length];
    let length = cubicMinimum(a, b, left, right);
    const margin = 0.1 * (right - left);
    const isNearEnd = Math.min(right - length, length - left) < margin;
    if (isNearEnd && (isSlow || length >= right || length <= left)) {
      length = Math.abs(length - right) < Math.abs(length - left) ? right - margin : left + margin;
      isSlow = false;
    } else isSlow = isNearEnd;
    const trial = await attempt(length);
    trials++;
    const high = low === a ? b : a;
    if (isTooHigh(trial) || trial.at.loss >= low.at.loss) {
      if (high === a) a = trial;
      else b = trial;
      low = lower();
      continue;
    }
    const isPast = !isFlat(trial) && trial.slope * (high.length - low.length) >= 0;
    isDone = isFlat(trial);
    const kept = isPast ? low : high;
    if (low === a) [a, b] = [trial, kept];
    else [a, b] = [kept, trial];
    low = trial;
  }
  return found(low);
}

/** The minimum of the cubic through both trials, kept within the bounds; their middle when the cubic has none. */
function cubicMinimum(one: Trial, other: Trial, least: number, most: number): number {
  const [left, right] = one.length <= other.length ? [one, other] : [other, one];
  const middle = one.slope + other.slope - (3 * (one.at.loss - other.at.loss)) / (one.length - other.length);
  const square = middle ** 2 - one.slope * other.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const root = Math.sqrt(square);
  const share = (right.slope + root - middle) / (right.slope - left.slope + 2 * root);
  return Math.min(Math.max(right.length - (right.length - left.length) * share, least), most);
}
