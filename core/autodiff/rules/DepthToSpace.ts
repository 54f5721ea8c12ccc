import { int } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/** X [N, C·b², H, W] → Y [N, C, H·b, W·b]; mode DCR has the block first in the channels, CRD last. */
export const DepthToSpace = differentiable('DepthToSpace', ({ node, x: [X], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const block = node.attr.int('blocksize', 1);
  if (node.attr.string('mode', 'DCR') !== 'CRD') return [emit(g, 'SpaceToDepth', [dY], { blocksize: int(block) })];
  const [n = 1, channels = 1, height = 1, width = 1] = X.shape;
  const split = g.reshape(dY, [n, channels / (block * block), height, block, width, block]);
  return [g.reshape(g.transpose(split, [0, 1, 3, 5, 2, 4]), X.shape)];
});
