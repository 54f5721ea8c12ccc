import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { differentiable, type RuleContext, type RuleEntry } from '../rule.ts';
import { fromFront, numbersOf, product, upTo } from './node-parts.ts';

interface Reduction {
  readonly x: Value;
  /** Result and its cotangent, with size 1 on the reduced axes. */
  readonly y: Value;
  readonly dY: Value;
  readonly g: GraphBuilder;
  readonly axes: readonly number[];
  /** How many elements each result is made from. */
  readonly count: number;
}

/** Rule of a reduction: axes from input 1 (all when empty, none with noop_with_empty_axes), keepdims or not. */
export function reduction(op: string, gradient: (parts: Reduction) => Value): RuleEntry {
  return differentiable(op, ({ node, x: [x, given], y: [y], dY: [dY], g }) => {
    if (!x || !y || !dY) return [];
    const axes = reducedAxes(node, x, given);
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const count = product(axes.map((axis) => x.shape[axis] ?? 1));
    return [gradient({ x, y: g.reshape(y, kept), dY: g.reshape(dY, kept), g, axes, count })];
  });
}

function reducedAxes(node: RuleContext['node'], x: Value, given: Value | undefined): readonly number[] {
  const rank = x.shape.length;
  const axes = numbersOf(given) ?? [];
  if (axes.length > 0) return axes.map((axis) => fromFront(axis, rank));
  return node.attr.flag('noop_with_empty_axes') ? [] : upTo(rank);
}

/** Elements that equal the extremum share its cotangent equally, as in torch.amax. */
export function shareAmongTies({ x, y, dY, g, axes }: Reduction): Value {
  const hits = g.cast(g.equal(x, y), x.dtype);
  return g.mul(hits, g.div(dY, g.reduceSum(hits, axes, true)));
}
