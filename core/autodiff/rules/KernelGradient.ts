import { differentiable } from '../rule.ts';
import { forwardConv, transposedConv } from './conv-parts.ts';
import { convGeometry } from './conv-shape.ts';

/**
 * dW = Σ over images and positions of dY · patches of X, linear in both. At the cotangent V of dW, which has the shape of
 * the kernel, ⟨V, dW⟩ = ⟨dY, X ⋆ V⟩: the gradient of X is the input gradient of a convolution with kernel V, that of dY the
 * convolution itself. Stands for the nodes of kernel-gradient.ts while derivatives are taken.
 */
export const KernelGradient = differentiable('KernelGradient', ({ node, x: [X, dY], dY: [V], g, needs }) => {
  if (!X || !dY || !V) return [];
  const geometry = convGeometry(node.attr, V, X.shape, dY.shape);
  return [
    needs(0) ? transposedConv(g, dY, V, geometry, X.shape) : undefined,
    needs(1) ? forwardConv(g, X, V, geometry) : undefined,
  ];
});
