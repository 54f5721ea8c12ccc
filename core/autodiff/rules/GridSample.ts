import { differentiable } from '../rule.ts';
import { bilinearGradients } from './bilinear-parts.ts';
import { refuse } from './node-parts.ts';

/** Bilinear sampling of X [N, C, H, W] at grid [N, h, w, 2] with zeros outside; slopes in X and in the grid. */
export const GridSample = differentiable('GridSample', ({ node, x: [X, grid], dY: [dY], g, needs }) => {
  if (!X || !grid || !dY) return [];
  const mode = node.attr.string('mode', 'linear');
  const padding = node.attr.string('padding_mode', 'zeros');
  if (X.shape.length !== 4 || mode !== 'linear' || padding !== 'zeros') {
    refuse(node, `only mode linear with padding_mode zeros on images is covered, not ${mode} with ${padding}`);
  }
  const { dX, dGrid } = bilinearGradients(g, X, grid, dY, node.attr.flag('align_corners'));
  return [needs(0) ? dX() : undefined, needs(1) ? dGrid() : undefined];
});
