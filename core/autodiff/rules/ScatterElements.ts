import { int, string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit, fromFront, numbersOf, product } from './node-parts.ts';
import { lastingWrites, scatterGradients } from './scatter-parts.ts';

/** Y is data with `updates` written at the indices, or added, multiplied, or taken where they are larger or smaller. */
export const ScatterElements = differentiable('ScatterElements', (context) => {
  const { node, x, g } = context;
  const [data, I] = x;
  if (!data || !I) return [];
  const axis = fromFront(node.attr.int('axis', 0), data.shape.length);
  const targets = numbersOf(I)?.map((index, at) =>
    I.shape.reduce((target, size, k) => {
      const place = Math.floor(at / product(I.shape.slice(k + 1))) % size;
      const moved = k === axis ? fromFront(index, data.shape[k] ?? 1) : place;
      return target + moved * product(data.shape.slice(k + 1));
    }, 0),
  );
  return scatterGradients(context, {
    write: (into, updates, reduction) =>
      emit(g, 'ScatterElements', [into, I, updates], { axis: int(axis), reduction: string(reduction) }),
    read: (value) => g.gatherElements(value, I, axis),
    lasting: lastingWrites(g, data.dtype, I.shape, targets),
  });
});
