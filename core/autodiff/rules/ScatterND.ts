import { string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit, fromFront, numbersOf, product, upTo } from './node-parts.ts';
import { lastingWrites, scatterGradients } from './scatter-parts.ts';

/** As ScatterElements, with index tuples [i…, r] and updates [i…, d…]. */
export const ScatterND = differentiable('ScatterND', (context) => {
  const { x, g } = context;
  const [data, I, updates] = x;
  if (!data || !I || !updates) return [];
  const lead = I.shape.slice(0, -1);
  const depth = I.shape.at(-1) ?? 0;
  const indices = numbersOf(I);
  const targets =
    indices &&
    upTo(product(lead)).map((at) =>
      upTo(depth).reduce((target, k) => {
        const size = data.shape[k] ?? 1;
        return target * size + fromFront(indices[at * depth + k] ?? 0, size);
      }, 0),
    );
  const dims = updates.shape.map((size, axis) => (axis < lead.length ? size : 1));
  return scatterGradients(context, {
    write: (into, values, reduction) => emit(g, 'ScatterND', [into, I, values], { reduction: string(reduction) }),
    read: (value) => emit(g, 'GatherND', [value, I]),
    lasting: lastingWrites(g, data.dtype, dims, targets),
  });
});
