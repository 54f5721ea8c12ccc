import { differentiable } from '../rule.ts';
import { refuse } from './node-parts.ts';

/**
 * Y is data with `updates` written (reduction none) or added (add) at the indices. Overwritten elements have no
 * gradient; where one place is written twice without reduction, ONNX leaves open which write wins.
 */
export const ScatterElements = differentiable(
  'ScatterElements',
  ({ node, x: [data, I, updates], dY: [dY], g, needs }) => {
    if (!data || !I || !updates || !dY) return [];
    const axis = node.attr.int('axis', 0);
    const mode = node.attr.string('reduction', 'none');
    if (mode !== 'none' && mode !== 'add') refuse(node, `reduction "${mode}" is not covered, only none and add`);
    const kept = () => (mode === 'add' ? dY : g.scatterElements(dY, I, g.full(updates.shape, 0, dY.dtype), axis));
    return [needs(0) ? kept() : undefined, undefined, needs(2) ? g.gatherElements(dY, I, axis) : undefined];
  },
);
