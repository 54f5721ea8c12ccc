import { int } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/** The inverse of DepthToSpace in mode DCR. */
export const SpaceToDepth = differentiable('SpaceToDepth', ({ node, dY: [dY], g }) =>
  dY ? [emit(g, 'DepthToSpace', [dY], { blocksize: int(node.attr.int('blocksize', 1)) })] : [],
);
