import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { differentiable, type RuleContext } from '../rule.ts';
import { upTo } from './node-parts.ts';
import { standardise, standardisedGradient } from './normalise-parts.ts';

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
  const stats = () => standardise(g, X, axes, node.attr.float('epsilon', 1e-5), known || undefined);
  const wide = (v: Value | undefined, factor: number) => v && alongChannels(g, g.mul(v, factor), X);
  const dX = () =>
    standardisedGradient(
      g,
      stats(),
      d && g.mul(d, alongChannels(g, scale, X)),
      wide(dRunningMean, 1 - momentum),
      wide(dRunningVariance, 1 - momentum),
    );
  const dScale = (cotangent: Value) => {
    const { centred, rate } = stats();
    return g.mul(g.reduceSum(g.mul(cotangent, centred), axes), g.reshape(rate, scale.shape));
  };
  return [
    needs(0) ? dX() : undefined,
    d && needs(1) ? dScale(d) : undefined,
    d && needs(2) ? g.reduceSum(d, axes) : undefined,
    dRunningMean && needs(3) ? g.mul(dRunningMean, momentum) : undefined,
    dRunningVariance && needs(4) ? g.mul(dRunningVariance, momentum) : undefined,
  ];
}
