import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { differentiable, type RuleContext } from '../rule.ts';
import { upTo } from './node-parts.ts';
import { standardise } from './normalise-parts.ts';

/**
 * Y = (X − mean)/√(var + epsilon)·scale + B for each channel; X [N, C, …], the others [C]. With training_mode the mean and
 * variance (divided by the count) of the batch are used, and running_mean = momentum·mean + (1 − momentum)·batch mean,
 * running_var likewise, are further outputs.
 */
export const BatchNormalization = differentiable('BatchNormalization', (context) =>
  context.node.attr.flag('training_mode') ? training(context) : inference(context),
);

/** [C] → [1, C, 1 …]. */
const alongChannels = (g: GraphBuilder, v: Value, x: Value): Value =>
  g.reshape(
    v,
    x.shape.map((_, axis) => (axis === 1 ? (v.shape[0] ?? 1) : 1)),
  );

function inference({ node, x: [X, scale, , mean, variance], dY: [dY], g, needs }: RuleContext): (Value | undefined)[] {
  if (!X || !scale || !mean || !variance || !dY) return [];
  const axes = upTo(X.shape.length).filter((axis) => axis !== 1);
  const rate = g.reciprocal(g.sqrt(g.add(variance, node.attr.float('epsilon', 1e-5))));
  const gain = g.mul(scale, rate);
  const total = () => g.reduceSum(dY, axes);
  const overlap = () => g.reduceSum(g.mul(dY, g.sub(X, alongChannels(g, mean, X))), axes);
  return [
    needs(0) ? g.mul(dY, alongChannels(g, gain, X)) : undefined,
    needs(1) ? g.mul(overlap(), rate) : undefined,
    needs(2) ? total() : undefined,
    needs(3) ? g.neg(g.mul(total(), gain)) : undefined,
    needs(4) ? g.mul(g.mul(overlap(), g.mul(gain, g.mul(rate, rate))), -0.5) : undefined,
  ];
}

function training({ node, x: [X, scale, , mean, variance], y, dY, g, needs }: RuleContext): (Value | undefined)[] {
  if (!X || !scale || !mean || !variance) return [];
  const [d, dRunningMean, dRunningVariance] = dY;
  const axes = upTo(X.shape.length).filter((axis) => axis !== 1);
  const momentum = node.attr.float('momentum', 0.9);
  // With momentum 0 the further outputs are the statistics of the batch.
  const known = momentum === 0 &&
    y[1] &&
    y[2] && { mean: alongChannels(g, y[1], X), variance: alongChannels(g, y[2], X) };
  const { centred, rate, count } = standardise(g, X, axes, node.attr.float('epsilon', 1e-5), known || undefined);
  const wide = (v: Value) => alongChannels(g, v, X);
  const gain = g.mul(wide(scale), rate);
  // [1, C, 1 …] each; the same two sums serve all three inputs.
  const overlap = d && g.reduceSum(g.mul(d, centred), axes, true);
  const total = d && g.reduceSum(d, axes, true);
  const dX = () => {
    const slopes = [
      overlap && g.mul(g.mul(overlap, g.mul(gain, g.mul(rate, rate))), -1 / count),
      dRunningVariance && wide(g.mul(dRunningVariance, (2 * (1 - momentum)) / count)),
    ].filter((value) => value !== undefined);
    const shifts = [
      total && g.mul(g.mul(total, gain), -1 / count),
      dRunningMean && wide(g.mul(dRunningMean, (1 - momentum) / count)),
    ].filter((value) => value !== undefined);
    const terms = [
      d && g.mul(d, gain),
      slopes.length > 0 ? g.mul(centred, g.sumOf(slopes)) : undefined,
      shifts.length > 0 ? g.sumOf(shifts) : undefined,
    ].filter((value) => value !== undefined);
    return terms.length > 0 ? g.expand(g.sumOf(terms), X.shape) : undefined;
  };
  return [
    needs(0) ? dX() : undefined,
    overlap && needs(1) ? g.reshape(g.mul(overlap, rate), scale.shape) : undefined,
    total && needs(2) ? g.reshape(total, scale.shape) : undefined,
    dRunningMean && momentum !== 0 && needs(3) ? g.mul(dRunningMean, momentum) : undefined,
    dRunningVariance && momentum !== 0 && needs(4) ? g.mul(dRunningVariance, momentum) : undefined,
  ];
}
