import { differentiable } from '../rule.ts';
import { bilinearGradients } from './bilinear-parts.ts';
import { sampleGradients, type Sampling } from './grid-parts.ts';

const modes = { linear: 'linear', nearest: 'nearest', cubic: 'cubic' } as const;
const paddings = { zeros: 'zeros', border: 'border', reflection: 'reflection' } as const;

/** An entry of a table by name; the first for names that are not in it. */
const named = <T>(table: Readonly<Record<string, T>>, name: string, otherwise: T): T =>
  Object.hasOwn(table, name) ? (table[name] ?? otherwise) : otherwise;

/** Sampling of X [N, C, D…] at grid [N, E…, r]; slopes in X and, unless the nearest pixel is taken, in the grid. */
export const GridSample = differentiable('GridSample', ({ node, x: [X, grid], dY: [dY], g, needs }) => {
  if (!X || !grid || !dY) return [];
  const sampling: Sampling = {
    mode: named(modes, node.attr.string('mode', 'linear'), 'linear'),
    padding: named(paddings, node.attr.string('padding_mode', 'zeros'), 'zeros'),
    alignCorners: node.attr.flag('align_corners'),
  };
  const isPlain = X.shape.length === 4 && sampling.mode === 'linear' && sampling.padding === 'zeros';
  const { dX, dGrid } = isPlain
    ? bilinearGradients(g, X, grid, dY, sampling.alignCorners)
    : sampleGradients(g, X, grid, dY, sampling);
  return [needs(0) ? dX() : undefined, needs(1) ? dGrid() : undefined];
});
