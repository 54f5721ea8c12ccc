import { int, string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';
import { scatterGradients } from './scatter-parts.ts';

/** Y is data with `updates` written at the indices, or added, multiplied, or taken where they are larger or smaller. */
export const ScatterElements = differentiable('ScatterElements', (context) => {
  const { node, x, g } = context;
  const [, I] = x;
  if (!I) return [];
  const axis = node.attr.int('axis', 0);
  return scatterGradients(context, {
    write: (data, updates, reduction) =>
      emit(g, 'ScatterElements', [data, I, updates], { axis: int(axis), reduction: string(reduction) }),
    read: (value) => g.gatherElements(value, I, axis),
  });
});
