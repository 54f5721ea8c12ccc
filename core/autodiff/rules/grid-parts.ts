import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { product } from './node-parts.ts';

/** How a grid is sampled. */
export interface Sampling {
  readonly mode: 'linear' | 'nearest' | 'cubic';
  readonly padding: 'zeros' | 'border' | 'reflection';
  readonly alignCorners: boolean;
}

/** One neighbour of the sampling points along one axis; all [N, P]. */
interface Tap {
  /** Its pixel, moved into the image. */
  readonly place: Value;
  readonly weight: Value;
  /** How the weight changes with the point, in 1/pixels; undefined where it does not. */
  readonly slope: Value | undefined;
}

/** Keys' coefficient in onnxruntime and PyTorch. */
const a = -0.75;

/** Coefficients, constant term first, of the weights of the pixels before, at, after and two after, in the fraction t. */
const cubicWeights: readonly (readonly number[])[] = [
  [0, a, -2 * a, a],
  [1, 0, -(a + 3), a + 2],
  [0, -a, 2 * a + 3, -(a + 2)],
  [0, 0, a, -a],
];
const linearWeights: readonly (readonly number[])[] = [
  [1, -1],
  [0, 1],
];

/** A polynomial by Horner's rule. */
function polynomial(g: GraphBuilder, coefficients: readonly number[], t: Value): Value {
  const [lead = 0, ...rest] = [...coefficients].reverse();
  if (rest.length === 0) return g.full(t.shape, lead, t.dtype);
  const [next = 0, ...others] = rest;
  const linear = g.add(g.mul(t, lead), next);
  return others.reduce((value, coefficient) => g.add(g.mul(value, t), coefficient), linear);
}

const derivative = (coefficients: readonly number[]): number[] =>
  coefficients.slice(1).map((coefficient, i) => coefficient * (i + 1));

/** A pixel, or a point between pixels, thrown back at the borders as often as it takes. */
function reflected(g: GraphBuilder, x: Value, size: number, alignCorners: boolean): Value {
  const [low, range] = alignCorners ? [0, size - 1] : [-0.5, size];
  if (range === 0) return g.mul(x, 0);
  const distance = g.abs(g.sub(x, low));
  const period = g.mul(g.floor(g.mul(distance, 1 / (2 * range))), 2 * range);
  const inPeriod = g.sub(distance, period);
  return g.sub(low + range, g.abs(g.sub(inPeriod, range)));
}

function moved(g: GraphBuilder, pixel: Value, size: number, { padding, alignCorners }: Sampling): Value {
  const inside = padding === 'reflection' ? reflected(g, pixel, size, alignCorners) : pixel;
  return g.clip(inside, 0, size - 1);
}

/**
 * Neighbours along one axis of points [N, P] given in pixels. Zeros outside are weights of 0. At the borders themselves
 * PyTorch's linear sampling with another padding has no slope.
 */
function tapsAlong(g: GraphBuilder, point: Value, size: number, sampling: Sampling): readonly Tap[] {
  const { mode, padding } = sampling;
  const isNearest = mode === 'nearest';
  const low = isNearest ? rounded(g, point) : g.floor(point);
  const t = g.sub(point, low);
  const weights = isNearest ? [[1]] : mode === 'linear' ? linearWeights : cubicWeights;
  const first = mode === 'cubic' ? -1 : 0;
  const free = mode === 'linear' && padding !== 'zeros' ? between(g, point, size, sampling) : undefined;
  return weights.map((coefficients, k) => {
    const pixel = g.add(low, first + k);
    const isInside = g.and(g.greaterOrEqual(pixel, 0), g.lessOrEqual(pixel, size - 1));
    const mask = padding === 'zeros' ? g.cast(isInside, point.dtype) : undefined;
    const held = (weight: Value): Value => (mask ? g.mul(weight, mask) : weight);
    const slope = isNearest ? undefined : held(polynomial(g, derivative(coefficients), t));
    return {
      place: moved(g, pixel, size, sampling),
      weight: held(polynomial(g, coefficients, t)),
      slope: slope && free ? g.mul(slope, free) : slope,
    };
  });
}

function rounded(g: GraphBuilder, x: Value): Value {
  const [value] = g.op('Round', [x]);
  return value ?? x;
}

/** 1 where the point, moved into the image, lies between its outer pixels. */
function between(g: GraphBuilder, point: Value, size: number, { padding, alignCorners }: Sampling): Value {
  const x = padding === 'reflection' ? reflected(g, point, size, alignCorners) : point;
  return g.cast(g.and(g.greater(x, 0), g.less(x, size - 1)), point.dtype);
}

/** All combinations of one entry of each list. */
const combinations = <T>(lists: readonly (readonly T[])[]): readonly (readonly T[])[] =>
  lists.reduce<readonly (readonly T[])[]>(
    (found, list) => found.flatMap((start) => list.map((entry) => [...start, entry])),
    [[]],
  );

/**
 * Gradients of GridSample of X [N, C, D…] at grid [N, E…, r] for the cotangent [N, C, E…]; each is built when it is asked
 * for. Y is the sum over neighbours of their values times the product of one weight along each axis.
 */
export function sampleGradients(
  g: GraphBuilder,
  X: Value,
  grid: Value,
  dY: Value,
  sampling: Sampling,
): { dX: () => Value; dGrid: () => Value | undefined } {
  const [n = 1, channels = 1, ...sizes] = X.shape;
  const points = product(grid.shape.slice(1, -1));
  const flatGrid = g.reshape(grid, [n, points, sizes.length]);
  const { alignCorners } = sampling;
  const perUnit = sizes.map((size) => (alignCorners ? (size - 1) / 2 : size / 2));
  const axes = sizes.map((size, axis) => {
    // The last axis comes first in the grid. −1 and 1 are the centres or the outer edges of the border pixels.
    const component = sizes.length - 1 - axis;
    const unit = g.reshape(g.slice(flatGrid, [2], [component], [component + 1]), [n, points]);
    const point = g.add(g.mul(unit, perUnit[axis] ?? 1), (size - 1) / 2);
    return tapsAlong(g, point, size, sampling);
  });
  const neighbours = combinations(axes);
  const stacked = (values: readonly Value[]): Value =>
    g.concat(
      values.map((value) => g.reshape(value, [n, 1, points])),
      1,
    );
  const multiplied = (factors: readonly Value[]): Value => factors.reduce((left, right) => g.mul(left, right));
  // [N·C, T·P]: where in an image each neighbour lies.
  const flatPlaces = neighbours.map((taps) =>
    g.sumOf(taps.map(({ place }, axis) => g.mul(place, product(sizes.slice(axis + 1))))),
  );
  const all = neighbours.length * points;
  const once = g.reshape(g.cast(stacked(flatPlaces), 'int64'), [n, 1, all]);
  const places = g.reshape(g.expand(once, [n, channels, all]), [n * channels, all]);
  const cotangent = g.reshape(dY, [n, channels, 1, points]);
  const dX = (): Value => {
    const weights = stacked(neighbours.map((taps) => multiplied(taps.map(({ weight }) => weight))));
    const updates = g.mul(cotangent, g.reshape(weights, [n, 1, neighbours.length, points]));
    const zeros = g.full([n * channels, product(sizes)], 0, X.dtype);
    const sums = g.scatterElements(zeros, places, g.reshape(updates, [n * channels, all]), 1, 'add');
    return g.reshape(sums, X.shape);
  };
  const dGrid = (): Value | undefined => {
    if (sampling.mode === 'nearest') return undefined;
    const read = g.gatherElements(g.reshape(X, [n * channels, product(sizes)]), places, 1);
    const values = g.reshape(read, [n, channels, neighbours.length, points]);
    // [N, T, P]: how the objective changes with each neighbour's weight.
    const pull = g.reduceSum(g.mul(cotangent, values), [1]);
    const components = sizes.map((_, axis) => {
      const slopes = neighbours.map((taps) =>
        multiplied(taps.map((tap, k) => (k === axis ? (tap.slope ?? tap.weight) : tap.weight))),
      );
      const sum = g.reduceSum(g.mul(pull, stacked(slopes)), [1]);
      return g.reshape(g.mul(sum, perUnit[axis] ?? 1), [...grid.shape.slice(0, -1), 1]);
    });
    return g.concat(components.reverse(), grid.shape.length - 1);
  };
  return { dX, dGrid };
}
