import { tensor } from '../../base/tensor.ts';
import { differentiable } from '../rule.ts';
import { arrayOf } from '../filled.ts';
import { numbersOf, product } from './node-parts.ts';

/** Grid [N, D…, r] = base·thetaᵀ with base the positions (x, y, …, 1) in [−1, 1], so dTheta = dGridᵀ·base. */
export const AffineGrid = differentiable('AffineGrid', ({ node, x: [theta, size], dY: [dY], g }) => {
  if (!theta || !dY) return [];
  const [n = 1, , ...spatial] = numbersOf(size) ?? [];
  const rank = spatial.length;
  const places = product(spatial);
  const base = Array.from({ length: places * (rank + 1) }, (_, i) => {
    const [place, column] = [Math.floor(i / (rank + 1)), i % (rank + 1)];
    if (column === rank) return 1;
    // The first column is the last axis: x before y before z.
    const axis = rank - 1 - column;
    const length = spatial[axis] ?? 1;
    const position = Math.floor(place / product(spatial.slice(axis + 1))) % length;
    if (node.attr.flag('align_corners')) return length === 1 ? 0 : (2 * position) / (length - 1) - 1;
    return (2 * position + 1) / length - 1;
  });
  const rows = g.transpose(g.reshape(dY, [n, places, rank]), [0, 2, 1]);
  return [g.matmul(rows, g.constant(tensor(dY.dtype, [places, rank + 1], arrayOf(dY.dtype, base))))];
});
