import { string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit, refuse } from './node-parts.ts';

/** As ScatterElements, with index tuples [i…, r] and updates [i…, d…]. */
export const ScatterND = differentiable('ScatterND', ({ node, x: [data, I, updates], dY: [dY], g, needs }) => {
  if (!data || !I || !updates || !dY) return [];
  const mode = node.attr.string('reduction', 'none');
  if (mode !== 'none' && mode !== 'add') refuse(node, `reduction "${mode}" is not covered, only none and add`);
  const zeros = () => g.full(updates.shape, 0, dY.dtype);
  const kept = () => (mode === 'add' ? dY : emit(g, 'ScatterND', [dY, I, zeros()], { reduction: string('none') }));
  return [needs(0) ? kept() : undefined, undefined, needs(2) ? emit(g, 'GatherND', [dY, I]) : undefined];
});
