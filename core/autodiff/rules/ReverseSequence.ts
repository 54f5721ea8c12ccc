import { int } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/** The same reversal of the cotangent: each sequence's first `lens` elements are turned around. */
export const ReverseSequence = differentiable('ReverseSequence', ({ node, x: [, lens], dY: [dY], g }) => {
  const axes = { batch_axis: int(node.attr.int('batch_axis', 1)), time_axis: int(node.attr.int('time_axis', 0)) };
  return dY ? [emit(g, 'ReverseSequence', [dY, lens], axes)] : [];
});
