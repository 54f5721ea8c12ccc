import { string } from '../attributes.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { emit } from './node-parts.ts';

/** Zeros of `shape` with `updates` [i…, d…] added at the index tuples [i…, r]. */
export function scatterAdd(g: GraphBuilder, shape: readonly number[], indices: Value, updates: Value): Value {
  const zeros = g.full(shape, 0, updates.dtype);
  return emit(g, 'ScatterND', [zeros, g.cast(indices, 'int64'), updates], { reduction: string('add') });
}
