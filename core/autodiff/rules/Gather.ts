import { differentiable } from '../rule.ts';
import { gatherAdjoint, runCount } from './index-map-parts.ts';
import { fromFront, numbersOf, product, upTo } from './node-parts.ts';
import { scatterAdd } from './scatter-parts.ts';

/** Y [a…, i…, b…] reads X [a…, n, b…] along an axis at the indices [i…]; what is read twice adds up. */
export const Gather = differentiable('Gather', ({ node, x: [X, I], dY: [dY], g }) => {
  if (!X || !I || !dY) return [];
  const axis = fromFront(node.attr.int('axis', 0), X.shape.length);
  const [before, size, after] = [X.shape.slice(0, axis), X.shape[axis] ?? 1, X.shape.slice(axis + 1)];
  const count = product(I.shape);
  const map = numbersOf(I)?.map((i) => fromFront(i, size));
  if (map && map.length > 0 && runCount(map) <= 4)
    return [gatherAdjoint(g, g.reshape(dY, [...before, count, ...after]), axis, map, size)];
  // Rows of the gathered axis in front: [i, a·b] is added to [n, a·b].
  const rows = g.reshape(g.transpose(g.reshape(dY, [product(before), count, product(after)]), [1, 0, 2]), [
    count,
    product(before) * product(after),
  ]);
  const summed = scatterAdd(g, [size, rows.shape[1] ?? 1], g.reshape(I, [count, 1]), rows);
  const order = [before.length, ...upTo(before.length), ...upTo(after.length).map((i) => i + before.length + 1)];
  const moved = g.reshape(summed, [size, ...before, ...after]);
  return [
    g.transpose(
      moved,
      upTo(X.shape.length).map((i) => order.indexOf(i)),
    ),
  ];
});
