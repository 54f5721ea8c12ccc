import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { product, upTo } from './node-parts.ts';
import { reverse } from './place-parts.ts';
import { reduction } from './reduce-parts.ts';

/** The slope is the product of all other elements, from running products of both sides, so zeros do no harm. */
export const ReduceProd = reduction('ReduceProd', ({ x, dY, g, axes, count }) => {
  if (x.shape.includes(0)) return g.full(x.shape, 0, x.dtype);
  const rank = x.shape.length;
  const order = [...upTo(rank).filter((axis) => !axes.includes(axis)), ...axes];
  const moved = g.transpose(x, order);
  const rows = g.reshape(moved, [product(x.shape) / count, count]);
  const before = productsBefore(g, rows);
  const after = reverse(g, productsBefore(g, reverse(g, rows, [1])), [1]);
  const others = g.reshape(g.mul(before, after), moved.shape);
  return g.mul(
    dY,
    g.transpose(
      others,
      upTo(rank).map((axis) => order.indexOf(axis)),
    ),
  );
});

/** [R, n] → at i the product of elements 0 … i−1, in log₂ n doublings. */
function productsBefore(g: GraphBuilder, rows: Value): Value {
  const [, n = 1] = rows.shape;
  const shifted = (value: Value, by: number): Value => g.pad(g.slice(value, [1], [0], [n - by]), [0, by, 0, 0], 1);
  let result = n > 1 ? shifted(rows, 1) : g.full(rows.shape, 1, rows.dtype);
  for (let by = 1; by < n - 1; by *= 2) result = g.mul(result, shifted(result, by));
  return result;
}
