import { int64 } from '../../base/tensor.ts';
import { int } from '../attributes.ts';
import { filled } from '../filled.ts';
import type { Value } from '../emitter.ts';
import type { RuleContext } from '../rule.ts';
import { emit } from './node-parts.ts';

/**
 * Gradient of −Σ w[label]·scores[n, label, …] in the scores [N, C, …], with class weights, an ignored label and the
 * reductions none, sum and mean (over the weights that count). The gradient in the weights is not given.
 */
export function labelGradient({ node, x: [scores, labels, weights], g }: RuleContext, dY: Value): Value | undefined {
  if (!scores || !labels) return undefined;
  const classes = scores.shape[1] ?? 1;
  const labels64 = g.cast(labels, 'int64');
  const zeroOne = g.concat([g.constant(filled(dY.dtype, 1, 0)), g.constant(filled(dY.dtype, 1, 1))], 0);
  const ignored = node.attr.has('ignore_index')
    ? g.equal(labels64, g.scalar(node.attr.int('ignore_index', 0), 'int64'))
    : undefined;
  const label = ignored ? g.where(ignored, 0, labels64) : labels64;
  const hot = emit(g, 'OneHot', [label, g.constant(int64([], [classes])), zeroOne], { axis: int(1) });
  const known = weights ? g.gather(weights, label, 0) : g.full(labels.shape, 1, dY.dtype);
  const weight = ignored ? g.where(ignored, 0, known) : known;
  const mean = node.attr.string('reduction', 'mean') === 'mean';
  const share = g.mul(weight, mean ? g.div(dY, g.reduceSum(weight)) : dY);
  return g.neg(g.mul(hot, g.unsqueeze(share, [1])));
}
