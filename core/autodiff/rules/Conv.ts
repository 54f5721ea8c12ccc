import { differentiable } from '../rule.ts';
import { convGeometry } from './conv-shape.ts';
import { transposedConv } from './conv-parts.ts';
import { kernelGradient } from './kernel-gradient.ts';

/** Y [N, M, o…] = X [N, C, i…] ⋆ W [M, C/group, k…] + B [M]; cross-correlation over 1 to 3 spatial axes. */
export const Conv = differentiable('Conv', ({ node, x: [X, W, B], dY: [dY], g, needs }) => {
  if (!X || !W || !dY) return [];
  const geometry = convGeometry(node.attr, W, X.shape, dY.shape);
  const spatial = geometry.kernel.map((_, i) => i + 2);
  return [
    needs(0) ? transposedConv(g, dY, W, geometry, X.shape) : undefined,
    needs(1) ? kernelGradient(g, X, dY, geometry) : undefined,
    B && needs(2) ? g.reduceSum(dY, [0, ...spatial]) : undefined,
  ];
});
