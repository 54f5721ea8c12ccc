import { flag } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/** The same triangle of the cotangent. */
export const Trilu = differentiable('Trilu', ({ node, x: [, k], dY: [dY], g }) =>
  dY ? [emit(g, 'Trilu', [dY, k], { upper: flag(node.attr.flag('upper', true)) })] : [],
);
