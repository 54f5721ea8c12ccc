import { strongWolfe } from './lbfgs-line-search.ts';
import { addTo, dot, largest, moved, sumOfMagnitudes, type Evaluate } from './lbfgs-vectors.ts';

/**
 * Limited-memory BFGS, driven from the host, with the meaning that torch.optim.LBFGS gives it (Nocedal and Wright 2006,
 * algorithm 7.4, and the rules below). Vectors are double precision whatever the objective computes with.
 */
export interface LbfgsOptions {
  /** Factor of every step; default 1. */
  readonly learningRate?: number;
  /** Iterations of one call; default 20. */
  readonly maxIterations?: number;
  /** Evaluations of one call, looked at after each iteration; default 5/4 of the iterations. */
  readonly maxEvaluations?: number;
  /** Ends the call when no entry of the gradient is larger; default 1e-7. */
  readonly gradientTolerance?: number;
  /** Ends the call on smaller changes of the loss or of every entry of x; default 1e-9. */
  readonly changeTolerance?: number;
  /** Pairs (s, y) that are kept; default 100. */
  readonly history?: number;
  /** 'none', as in the gradient leakage papers, steps by the learning rate alone; default. */
  readonly lineSearch?: 'none' | 'strong-wolfe';
}

/** What is kept from call to call; plain numbers and arrays, so that it can be stored. */
export interface LbfgsState {
  /** Since the very first call. */
  readonly iterations: number;
  readonly evaluations: number;
  /** Of the last iteration; undefined before the first. */
  readonly last:
    | {
        readonly direction: Float64Array<ArrayBuffer>;
        readonly stepLength: number;
        readonly gradient: Float64Array<ArrayBuffer>;
      }
    | undefined;
  /** s = step, y = change of the gradient, oldest first. */
  readonly pairs: readonly Pair[];
  /** H0 = scale · 1. */
  readonly scale: number;
}

interface Pair {
  readonly s: Float64Array<ArrayBuffer>;
  readonly y: Float64Array<ArrayBuffer>;
  /** s · y */
  readonly curvature: number;
}

export const freshLbfgsState: LbfgsState = { iterations: 0, evaluations: 0, last: undefined, pairs: [], scale: 1 };

export interface LbfgsResult {
  readonly x: Float64Array<ArrayBuffer>;
  readonly state: LbfgsState;
  /** At the x that came in. */
  readonly loss: number;
}

/** A pair with less curvature is not kept. */
const leastCurvature = 1e-10;

/**
 * One call: up to `maxIterations` iterations from `x`. The first iteration ever goes along −∇ by min(1, 1/‖∇‖₁) · rate,
 * later ones along −H∇ by the rate. Without line search the objective is not evaluated after the last iteration, so that
 * the next call does it. Not-a-number ends nothing here: whoever calls looks at the loss.
 */
export async function lbfgsStep(
  start: Float64Array<ArrayBuffer>,
  before: LbfgsState,
  evaluate: Evaluate,
  options: LbfgsOptions = {},
): Promise<LbfgsResult> {
  const { learningRate = 1, maxIterations = 20, gradientTolerance = 1e-7, changeTolerance = 1e-9 } = options;
  const { maxEvaluations = Math.floor((maxIterations * 5) / 4), history = 100, lineSearch = 'none' } = options;
  let x = start;
  let { loss, gradient } = await evaluate(x);
  const initialLoss = loss;
  let { iterations, evaluations, last, pairs, scale } = before;
  let spent = 1;
  evaluations++;
  const done = (): LbfgsResult => ({ x, state: { iterations, evaluations, last, pairs, scale }, loss: initialLoss });
  if (largest(gradient) <= gradientTolerance) return done();
  for (let n = 1; n <= maxIterations; n++) {
    iterations++;
    ({ pairs, scale } = last ? remember({ pairs, scale }, last, gradient, history) : { pairs: [], scale: 1 });
    const direction = last ? descend(gradient, pairs, scale) : gradient.map((value) => -value);
    let stepLength = (iterations === 1 ? Math.min(1, 1 / sumOfMagnitudes(gradient)) : 1) * learningRate;
    const previousLoss = loss;
    const slope = dot(gradient, direction);
    last = { direction, stepLength, gradient };
    if (slope > -changeTolerance) break;
    let used = 0;
    if (lineSearch === 'strong-wolfe') {
      const along = { x, direction, slope, from: { loss, gradient }, first: stepLength, changeTolerance };
      const found = await strongWolfe(evaluate, along);
      ({ loss, gradient } = found.at);
      stepLength = found.stepLength;
      used = found.evaluations;
      last = { ...last, stepLength };
      x = moved(x, direction, stepLength);
    } else {
      x = moved(x, direction, stepLength);
      if (n === maxIterations) break;
      ({ loss, gradient } = await evaluate(x));
      used = 1;
    }
    spent += used;
    evaluations += used;
    if (spent >= maxEvaluations || largest(gradient) <= gradientTolerance) break;
    if (largest(direction) * stepLength <= changeTolerance || Math.abs(loss - previousLoss) < changeTolerance) break;
  }
  return done();
}

/** Takes in the pair of the last iteration, now that the gradient after it is known. */
function remember(
  known: Pick<LbfgsState, 'pairs' | 'scale'>,
  last: NonNullable<LbfgsState['last']>,
  gradient: Float64Array<ArrayBuffer>,
  history: number,
): Pick<LbfgsState, 'pairs' | 'scale'> {
  const y = gradient.map((value, i) => value - last.gradient[i]!);
  const s = last.direction.map((value) => value * last.stepLength);
  const curvature = dot(y, s);
  if (!(curvature > leastCurvature)) return known;
  return { pairs: [...known.pairs, { s, y, curvature }].slice(-history), scale: curvature / dot(y, y) };
}

/** −H∇ by the two loops over the pairs (Nocedal and Wright 2006, algorithm 7.4). */
function descend(
  gradient: Float64Array<ArrayBuffer>,
  pairs: readonly Pair[],
  scale: number,
): Float64Array<ArrayBuffer> {
  const q = gradient.map((value) => -value);
  const shares = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { s, y, curvature } = pairs[i]!;
    const share = dot(s, q) / curvature;
    shares[i] = share;
    addTo(q, y, -share);
  }
  for (let i = 0; i < q.length; i++) q[i]! *= scale;
  pairs.forEach(({ s, y, curvature }, i) => addTo(q, s, shares[i]! - dot(y, q) / curvature));
  return q;
}
