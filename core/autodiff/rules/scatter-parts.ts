import { type DType, tensor } from '../../base/tensor.ts';
import { string } from '../attributes.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { arrayOf } from '../filled.ts';
import type { RuleContext } from '../rule.ts';
import { emit } from './node-parts.ts';

/** Zeros of `shape` with `updates` [i…, d…] added at the index tuples [i…, r]. */
export function scatterAdd(g: GraphBuilder, shape: readonly number[], indices: Value, updates: Value): Value {
  const zeros = g.full(shape, 0, updates.dtype);
  return emit(g, 'ScatterND', [zeros, g.cast(indices, 'int64'), updates], { reduction: string('add') });
}

type Reduction = 'none' | 'add' | 'mul';

/** A scatter at fixed places, of other data and updates. */
export interface Places {
  /** `data` with `updates` written, added or multiplied at the places. */
  write(data: Value, updates: Value, reduction: Reduction): Value;
  /** What `value`, shaped like the data, has at the places. */
  read(value: Value): Value;
  /** Broadcasts to the updates: 1 for what a later write does not replace, else 0; undefined if it is 1 throughout. */
  readonly lasting: Value | undefined;
}

/** Such a mask of shape `dims`, from the numbers of the places that the writes go to; computed ones are taken to differ. */
export function lastingWrites(
  g: GraphBuilder,
  dtype: DType,
  dims: readonly number[],
  targets: readonly number[] | undefined,
): Value | undefined {
  const last = new Map(targets?.map((target, i) => [target, i]));
  if (!targets || last.size === targets.length) return undefined;
  const mask = targets.map((target, i) => (last.get(target) === i ? 1 : 0));
  return g.constant(tensor(dtype, dims, arrayOf(dtype, mask)));
}

/**
 * Gradients in the data and in the updates of a scatter with any reduction. Without one, overwritten elements have no
 * gradient; of several writes to one place ONNX leaves open which wins, in onnxruntime it is the last. Equal extrema share
 * the cotangent, the element of the data among them, as in torch.scatter_reduce.
 */
export function scatterGradients(context: RuleContext, places: Places): readonly (Value | undefined)[] {
  const { node, x, g, needs } = context;
  const [data, , updates] = x;
  const [[Y], [dY]] = [context.y, context.dY];
  if (!data || !updates || !Y || !dY) return [];
  switch (node.attr.string('reduction', 'none')) {
    case 'none': {
      const kept = () => places.write(dY, g.full(updates.shape, 0, dY.dtype), 'none');
      const written = () => (places.lasting ? g.mul(places.read(dY), places.lasting) : places.read(dY));
      return [needs(0) ? kept() : undefined, undefined, needs(2) ? written() : undefined];
    }
    case 'add':
      return [needs(0) ? dY : undefined, undefined, needs(2) ? places.read(dY) : undefined];
    case 'mul': {
      const product = productOfOthers(g, data, updates, places);
      return [
        needs(0) ? g.mul(dY, product.forData()) : undefined,
        undefined,
        needs(2) ? g.mul(places.read(dY), product.forUpdates()) : undefined,
      ];
    }
    default: {
      const hits = (value: Value, extremum: Value) => g.cast(g.equal(value, extremum), dY.dtype);
      const [dataHits, updateHits] = [hits(data, Y), hits(updates, places.read(Y))];
      const share = g.div(dY, places.write(dataHits, updateHits, 'add'));
      return [
        needs(0) ? g.mul(share, dataHits) : undefined,
        undefined,
        needs(2) ? g.mul(places.read(share), updateHits) : undefined,
      ];
    }
  }
}

/**
 * The product of all factors of a place but one's own. Zeros are left out of the product that is divided by the own
 * factor, and counted: with one zero among the others the product is linear in it, with two its slope is 0, too, so
 * that derivatives are right to order 2.
 */
function productOfOthers(
  g: GraphBuilder,
  data: Value,
  updates: Value,
  places: Places,
): { forData: () => Value; forUpdates: () => Value } {
  const parts = (value: Value) => {
    const isZero = g.equal(value, 0);
    return { safe: g.where(isZero, 1, value), zero: g.where(isZero, value, 0), count: g.cast(isZero, value.dtype) };
  };
  const [d, u] = [parts(data), parts(updates)];
  const product = places.write(d.safe, u.safe, 'mul');
  const zeros = places.write(d.zero, u.zero, 'add');
  const count = places.write(d.count, u.count, 'add');
  const others = (own: ReturnType<typeof parts>, all: readonly [Value, Value, Value]): Value => {
    const [total, sum, zeroCount] = all;
    const left = g.sub(zeroCount, own.count);
    const factor = g.where(g.equal(left, 0), 1, g.where(g.equal(left, 1), g.sub(sum, own.zero), 0));
    return g.mul(g.div(total, own.safe), factor);
  };
  return {
    forData: () => others(d, [product, zeros, count]),
    forUpdates: () => others(u, [places.read(product), places.read(zeros), places.read(count)]),
  };
}
