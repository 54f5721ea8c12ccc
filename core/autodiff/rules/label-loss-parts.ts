import { int64 } from '../../base/tensor.ts';
import { int } from '../attributes.ts';
import { filled } from '../filled.ts';
import type { Value } from '../emitter.ts';
import type { RuleContext } from '../rule.ts';
import { emit, upTo } from './node-parts.ts';

interface LabelGradients {
  /** [N, C, …], in the scores. */
  readonly forScores: () => Value;
  /** [C], in the class weights; undefined without any. */
  readonly forWeights: (scores: Value) => Value | undefined;
}

/**
 * Gradients of −Σ w[label]·scores[n, label, …] for scores [N, C, …], with class weights, an ignored label and the
 * reductions none, sum and mean (over the weights that count).
 */
export function labelGradients({ node, x, y, g }: RuleContext, dY: Value): LabelGradients | undefined {
  const [X, labels, weights] = x;
  const [loss] = y;
  if (!X || !labels || !loss) return undefined;
  const classes = X.shape[1] ?? 1;
  const labels64 = g.cast(labels, 'int64');
  const zeroOne = g.concat([g.constant(filled(dY.dtype, 1, 0)), g.constant(filled(dY.dtype, 1, 1))], 0);
  const ignored = node.attr.has('ignore_index')
    ? g.equal(labels64, g.scalar(node.attr.int('ignore_index', 0), 'int64'))
    : undefined;
  const counted = (value: Value): Value => (ignored ? g.where(ignored, 0, value) : value);
  const label = counted(labels64);
  const hot = emit(g, 'OneHot', [label, g.constant(int64([], [classes])), zeroOne], { axis: int(1) });
  const weight = counted(weights ? g.gather(weights, label, 0) : g.full(labels.shape, 1, dY.dtype));
  const isMean = node.attr.string('reduction', 'mean') === 'mean';
  const share = isMean ? g.div(dY, g.reduceSum(weight)) : dY;
  return {
    forScores: () => g.neg(g.mul(hot, g.unsqueeze(g.mul(weight, share), [1]))),
    forWeights: (scores) => {
      if (!weights) return undefined;
      const chosen = g.reduceSum(g.mul(hot, scores), [1]);
      // A mean falls, besides, as the weights that it is divided by grow.
      const slope = g.neg(g.mul(share, isMean ? g.add(chosen, loss) : chosen));
      const others = upTo(X.shape.length).filter((axis) => axis !== 1);
      return g.reduceSum(g.mul(hot, g.unsqueeze(counted(slope), [1])), others);
    },
  };
}
