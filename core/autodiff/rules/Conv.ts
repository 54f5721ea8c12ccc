import type { GraphBuilder } from '../builder.ts';
import { NodeAttributes, type Value } from '../emitter.ts';
import { differentiable } from '../rule.ts';
import { convGeometry } from './conv-shape.ts';
import { transposedConv } from './conv-parts.ts';
import { kernelGradient } from './kernel-gradient.ts';
import {
  fixedTiling,
  winogradConv,
  winogradInputGradient,
  winogradKernelGradient,
  winogradTiling,
} from './winograd.ts';

/** Y [N, M, o…] = X [N, C, i…] ⋆ W [M, C/group, k…] + B [M]; cross-correlation over 1 to 3 spatial axes. */
export const Conv = differentiable('Conv', ({ node, x: [X, W, B], dY: [dY], g, needs }) => {
  if (!X || !W || !dY) return [];
  const geometry = convGeometry(node.attr, W, X.shape, dY.shape);
  const spatial = geometry.kernel.map((_, i) => i + 2);
  const tiling = winogradTiling(g, X, W, geometry);
  const dX = () => {
    const plain = transposedConv(g, dY, W, geometry, X.shape);
    const own = g.isFixed(W) ? fixedTiling(g, X, W, geometry) : tiling;
    return own ? g.alternative(winogradInputGradient(g, dY, W, geometry, own, X.shape), plain) : plain;
  };
  const dW = () => {
    const plain = kernelGradient(g, X, dY, geometry);
    return tiling ? g.alternative(winogradKernelGradient(g, X, dY, geometry, tiling), plain, () => plain) : plain;
  };
  return [
    needs(0) ? dX() : undefined,
    needs(1) ? dW() : undefined,
    B && needs(2) ? g.reduceSum(dY, [0, ...spatial]) : undefined,
  ];
});

/**
 * Y of a Conv node by the fastest way; derivatives are those of the Conv. With fixed kernels onnxruntime's own, in blocked
 * layout and with Relu fused, is nearly as fast and keeps no transformed kernels: another way is for graphs that may spend
 * memory.
 */
export function fastConv(g: GraphBuilder, plain: Value): Value {
  const node = plain.producer;
  const [X, W, B] = node?.inputs ?? [];
  if (!node || !X || !W) return plain;
  const geometry = convGeometry(new NodeAttributes(node), W, X.shape, plain.shape);
  const tiling = (g.isFixed(W) ? fixedTiling : winogradTiling)(g, X, W, geometry);
  if (!tiling) return plain;
  const y = winogradConv(g, X, W, geometry, tiling);
  return g.alternative(B ? g.add(y, g.reshape(B, [1, B.shape[0] ?? 1, 1, 1])) : y, plain);
}
