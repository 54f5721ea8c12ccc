import { int64, tensor } from '../../base/tensor.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { differentiable } from '../rule.ts';
import { product } from './node-parts.ts';
import { scatterAdd } from './scatter-parts.ts';

/** Y [b…, i…, d…] reads X at index tuples [b…, i…, r]; what is read twice adds up. */
export const GatherND = differentiable('GatherND', ({ node, x: [X, I], dY: [dY], g }) => {
  if (!X || !I || !dY) return [];
  const batch = node.attr.int('batch_dims', 0);
  return [scatterAdd(g, X.shape, batch === 0 ? I : withBatch(g, I, batch), dY)];
});

/** [b…, i…, r] → [b…, i…, batch + r]: the position in the batch goes in front of each tuple. */
function withBatch(g: GraphBuilder, indices: Value, batch: number): Value {
  const lead = indices.shape.slice(0, -1);
  const places = Array.from({ length: batch }, (_, axis) => {
    const below = product(lead.slice(axis + 1));
    const values = Array.from({ length: product(lead) }, (_unused, i) => Math.floor(i / below) % (lead[axis] ?? 1));
    return g.constant(tensor('int64', [...lead, 1], int64([values.length], values).data));
  });
  return g.concat([...places, g.cast(indices, 'int64')], lead.length);
}
