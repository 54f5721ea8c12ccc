import { invariant } from '../base/errors.ts';
import { tensor, type Tensor } from '../base/tensor.ts';
import { freshLbfgsState, lbfgsStep, type LbfgsOptions, type LbfgsState } from '../train/lbfgs.ts';
import { runEnds, type AttackRun, type RunBest, type RunEnd, type RunProgress, type RunState } from './attack-run.ts';
import type { AttackSettings } from './attack-settings.ts';
import type { Objective, ObjectiveValue } from './objective.ts';

type Vector = Float64Array<ArrayBuffer>;

export interface LbfgsStart {
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly labelLogits: Float32Array<ArrayBuffer> | undefined;
}

/**
 * One restart by L-BFGS. The optimiser keeps its state from outer step to outer step; `box` [2, …] pixel bounds are applied
 * between them.
 */
export function createLbfgsRun(
  objective: Objective,
  settings: AttackSettings,
  from: LbfgsStart | RunState,
  box?: (pixels: Vector) => void,
): AttackRun {
  const { steps, stopBelow = 0, stopEvery = 1, learningRate, optimiser } = settings;
  const options: LbfgsOptions = { learningRate, lineSearch: optimiser === 'lbfgs-wolfe' ? 'strong-wolfe' : 'none' };
  const { pixelCount } = objective;
  let { x, step, state, best, distance, total, end } = 'numbers' in from ? restore(from, objective) : begin(from);

  const labelsOf = (of: Vector): Float32Array<ArrayBuffer> | undefined =>
    objective.labelCount === 0 ? undefined : Float32Array.from(of.subarray(pixelCount));
  const pixelsOf = (of: Vector): Float32Array<ArrayBuffer> => Float32Array.from(of.subarray(0, pixelCount));
  const evaluate = async (at: Vector): Promise<ObjectiveValue> => {
    const pixels = pixelsOf(at);
    const labelLogits = labelsOf(at);
    const value = await objective.at(pixels, labelLogits);
    if (value.distance < (best?.distance ?? Infinity)) best = { distance: value.distance, pixels, labelLogits };
    return value;
  };
  const progress = (): RunProgress => ({
    step,
    distance,
    total,
    evaluations: state.evaluations,
    end,
    pixels: pixelsOf(x),
    labelLogits: labelsOf(x),
    best,
  });
  return {
    get progress() {
      return progress();
    },
    async advance() {
      if (end) return;
      const result = await lbfgsStep(
        x,
        state,
        async (at) => {
          const value = await evaluate(at);
          return { loss: value.total, gradient: joined(value) };
        },
        options,
      );
      const hasMoved = result.x.some((value, i) => value !== x[i]);
      ({ x, state } = result);
      if (box) {
        x = x.slice();
        box(x.subarray(0, pixelCount));
      }
      // As the papers' code does: what is reported after a step is evaluated once more.
      ({ distance, total } = await evaluate(x));
      state = { ...state, evaluations: state.evaluations + 1 };
      const isLookedAt = step % stopEvery === 0;
      step++;
      if (!Number.isFinite(total)) end = 'diverged';
      else if (isLookedAt && total < stopBelow) end = 'converged';
      else if (!hasMoved) end = 'stalled';
      else if (step >= steps) end = 'finished';
    },
    capture: () => captured({ x, step, state, best, distance, total, end }),
  };
}

function joined({ dPixels, dLabelLogits }: ObjectiveValue): Vector {
  const gradient = new Float64Array(dPixels.length + (dLabelLogits?.length ?? 0));
  gradient.set(dPixels);
  if (dLabelLogits) gradient.set(dLabelLogits, dPixels.length);
  return gradient;
}

interface Whole {
  readonly x: Vector;
  readonly step: number;
  readonly state: LbfgsState;
  readonly best: RunBest | undefined;
  readonly distance: number;
  readonly total: number;
  readonly end: RunEnd | undefined;
}

function begin({ pixels, labelLogits }: LbfgsStart): Whole {
  const x = new Float64Array(pixels.length + (labelLogits?.length ?? 0));
  x.set(pixels);
  if (labelLogits) x.set(labelLogits, pixels.length);
  const unknown = { distance: Number.NaN, total: Number.NaN };
  return { x, step: 0, state: freshLbfgsState, best: undefined, end: undefined, ...unknown };
}

const vector = (data: Vector): Tensor => tensor('float64', [data.length], data);

function captured({ x, step, state, best, distance, total, end }: Whole): RunState {
  const { iterations, evaluations, last, pairs, scale } = state;
  const tensors: Record<string, Tensor> = { x: vector(x) };
  if (last) Object.assign(tensors, { direction: vector(last.direction), gradient: vector(last.gradient) });
  pairs.forEach(({ s, y }, i) => Object.assign(tensors, { [`s${i}`]: vector(s), [`y${i}`]: vector(y) }));
  if (best) {
    tensors['bestPixels'] = tensor('float32', [best.pixels.length], best.pixels);
    if (best.labelLogits) tensors['bestLabels'] = tensor('float32', [best.labelLogits.length], best.labelLogits);
  }
  return {
    numbers: {
      step,
      distance,
      total,
      iterations,
      evaluations,
      scale,
      pairs: pairs.length,
      ...(last ? { stepLength: last.stepLength } : {}),
      ...(best ? { bestDistance: best.distance } : {}),
      ...(end ? { end: runEnds.indexOf(end) } : {}),
    },
    tensors,
  };
}

function restore({ numbers, tensors }: RunState, { labelCount }: Objective): Whole {
  const number = (name: string): number => {
    const value = numbers[name];
    invariant(value !== undefined, `the state of an attack has ${name}`);
    return value;
  };
  const doubles = (name: string): Vector => {
    const data = tensors[name]?.data;
    invariant(data instanceof Float64Array, `the state of an attack has ${name}`);
    return data;
  };
  const floats = (name: string): Float32Array<ArrayBuffer> => {
    const data = tensors[name]?.data;
    invariant(data instanceof Float32Array, `the state of an attack has ${name}`);
    return data;
  };
  const pairs = Array.from({ length: number('pairs') }, (_, i) => {
    const [s, y] = [doubles(`s${i}`), doubles(`y${i}`)];
    return { s, y, curvature: s.reduce((sum, value, j) => sum + value * (y[j] ?? 0), 0) };
  });
  const { bestDistance, stepLength, end } = numbers;
  return {
    x: doubles('x'),
    step: number('step'),
    distance: number('distance'),
    total: number('total'),
    end: end === undefined ? undefined : runEnds[end],
    state: {
      iterations: number('iterations'),
      evaluations: number('evaluations'),
      scale: number('scale'),
      pairs,
      last:
        stepLength === undefined
          ? undefined
          : { stepLength, direction: doubles('direction'), gradient: doubles('gradient') },
    },
    best:
      bestDistance === undefined
        ? undefined
        : {
            distance: bestDistance,
            pixels: floats('bestPixels'),
            labelLogits: labelCount === 0 ? undefined : floats('bestLabels'),
          },
  };
}
