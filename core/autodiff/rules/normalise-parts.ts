import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { product } from './node-parts.ts';

/** The input less its mean and 1/√(variance + epsilon) over `axes`, which are kept. */
export interface Standardised {
  readonly centred: Value;
  /** 1/√(variance + epsilon). */
  readonly rate: Value;
  readonly axes: readonly number[];
  readonly count: number;
}

/** Statistics that another node has computed already are taken from `known`, shaped to broadcast. */
export function standardise(
  g: GraphBuilder,
  x: Value,
  axes: readonly number[],
  epsilon: number,
  known?: { readonly mean: Value; readonly variance: Value },
): Standardised {
  const mean = known?.mean ?? g.reduceMean(x, axes, true);
  const centred = g.sub(x, mean);
  const variance = known?.variance ?? g.reduceMean(g.mul(centred, centred), axes, true);
  const rate = g.reciprocal(g.sqrt(g.add(variance, epsilon)));
  return { centred, rate, axes, count: product(axes.map((axis) => x.shape[axis] ?? 1)) };
}

/**
 * dX of x̂ = centred·rate for the cotangent d of x̂: rate·(d − mean d) − centred·rate³·mean(d·centred). `dMean` and
 * `dVariance` are cotangents of the statistics themselves where they are outputs too.
 */
export function standardisedGradient(
  g: GraphBuilder,
  { centred, rate, axes, count }: Standardised,
  d: Value | undefined,
  dMean?: Value,
  dVariance?: Value,
): Value | undefined {
  // Everything that multiplies `centred` is gathered first: one pass over the elements.
  const slopes: Value[] = [];
  const shifts: Value[] = [];
  if (d) {
    const overlap = g.reduceMean(g.mul(d, centred), axes, true);
    slopes.push(g.neg(g.mul(overlap, g.mul(rate, g.mul(rate, rate)))));
    shifts.push(g.neg(g.mul(rate, g.reduceMean(d, axes, true))));
  }
  if (dVariance) slopes.push(g.mul(dVariance, 2 / count));
  if (dMean) shifts.push(g.mul(dMean, 1 / count));
  const terms: Value[] = [];
  if (d) terms.push(g.mul(d, rate));
  if (slopes.length > 0) terms.push(g.mul(centred, g.sumOf(slopes)));
  const sum = terms.length === 0 ? undefined : g.sumOf(terms);
  if (shifts.length === 0) return sum;
  return sum ? g.add(sum, g.sumOf(shifts)) : g.expand(g.sumOf(shifts), centred.shape);
}
