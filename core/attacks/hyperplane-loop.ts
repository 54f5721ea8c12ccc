import { invariant } from '../base/errors.ts';
import { sizeOf } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';

/** Newton's steps towards λ: enough for planes nearly as far as a corner of the box, where most coordinates use up their room. */
const rounds = 10;

export interface Plane {
  /** Where the step starts, inside the box [B, C, H, W]. */
  readonly from: Value;
  /** The normal w [B, C, H, W]. */
  readonly normal: Value;
  /** ⟨w, from⟩ − b [B, 1, 1, 1]: how far the point lies above the plane. */
  readonly gap: Value;
  readonly bounds: readonly [number, number];
}

const sumOver = (g: GraphBuilder, x: Value): Value => g.reduceSum(x, [1, 2, 3], true);

/**
 * The smallest step from each point to its hyperplane inside the box, as nodes: min ‖d‖ subject to ⟨w, from + d⟩ = b and low ≤
 * from + d ≤ high (Croce & Hein 2020, “Minimally distorted adversarial examples with a fast adaptive boundary attack”,
 * section 2). Where the box does not reach the plane, d goes as far as the box lets it.
 *
 * Each |d_i| is min(room_i, what λ asks for), and ⟨w, d⟩ grows with λ along a concave line of pieces: Newton from below meets
 * the right λ after a few pieces, without sorting. In l1 the coordinates of the largest weights give all the room they have.
 */
export function stepToPlane(g: GraphBuilder, norm: 'linf' | 'l2' | 'l1', plane: Plane): Value {
  const { from, normal, gap, bounds } = plane;
  const isAbove = g.greaterOrEqual(gap, 0);
  const distance = g.abs(gap);
  // Against w when the point lies above the plane.
  const towards = g.where(isAbove, g.neg(normal), normal);
  const weight = g.abs(normal);
  const [low, high] = bounds;
  const room = g.relu(g.where(g.less(towards, 0), g.sub(from, low), g.sub(high, from)));
  if (norm === 'l1') return g.mul(g.sign(towards), filledGreedily(g, weight, room, distance));
  const asked = (lambda: Value): Value => (norm === 'linf' ? lambda : g.mul(weight, lambda));
  const slopes = norm === 'linf' ? weight : g.mul(weight, weight);
  let lambda = g.sub(distance, distance);
  for (let round = 0; round < rounds; round++) {
    const wish = asked(lambda);
    const missing = g.sub(distance, sumOver(g, g.mul(weight, g.min(room, wish))));
    const slope = sumOver(g, g.where(g.less(wish, room), slopes, g.scalar(0)));
    lambda = g.add(lambda, g.where(g.greater(slope, 0), g.div(g.relu(missing), slope), g.scalar(0)));
  }
  return g.mul(g.sign(towards), g.min(room, asked(lambda)));
}

/** l1: each gives its room in the order of the weights, the last one what is still missing. */
function filledGreedily(g: GraphBuilder, weight: Value, room: Value, distance: Value): Value {
  const [batch = 1, ...shape] = weight.shape;
  const count = sizeOf(shape);
  const rows = (v: Value): Value => g.reshape(v, [batch, count]);
  const [sorted, order] = g.op('TopK', [rows(weight), g.ints([count])], {}, { outputs: 2 });
  invariant(sorted && order, 'TopK has two outputs');
  const rooms = g.gatherElements(rows(room), order, 1);
  const [before] = g.op('CumSum', [g.mul(sorted, rooms), g.scalar(1, 'int64')], {
    exclusive: { type: 'int', value: 1 },
  });
  invariant(before, 'CumSum has an output');
  const missing = g.relu(g.sub(g.reshape(distance, [batch, 1]), before));
  const wanted = g.where(g.greater(sorted, 0), g.div(missing, g.max(sorted, 1e-30)), g.scalar(0));
  const given = g.scatterElements(g.full([batch, count], 0), order, g.min(rooms, wanted), 1);
  return g.reshape(given, weight.shape);
}
