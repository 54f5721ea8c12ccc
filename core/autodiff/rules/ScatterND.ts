import { string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';
import { scatterGradients } from './scatter-parts.ts';

/** As ScatterElements, with index tuples [i…, r] and updates [i…, d…]. */
export const ScatterND = differentiable('ScatterND', (context) => {
  const { x, g } = context;
  const [, I] = x;
  if (!I) return [];
  return scatterGradients(context, {
    write: (data, updates, reduction) => emit(g, 'ScatterND', [data, I, updates], { reduction: string(reduction) }),
    read: (value) => emit(g, 'GatherND', [value, I]),
  });
});
