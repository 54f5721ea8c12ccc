import { differentiable } from '../rule.ts';

/** Y = alpha·op(A)·op(B) + beta·C, with op(A) [M, K], op(B) [K, N], C broadcastable to [M, N]. */
export const Gemm = differentiable('Gemm', ({ node, x: [A, B, C], dY: [dY], g, needs }) => {
  if (!A || !B || !dY) return [];
  const alpha = node.attr.float('alpha', 1);
  const [transA, transB] = [node.attr.flag('transA'), node.attr.flag('transB')];
  const dA = () =>
    transA ? g.gemm(B, dY, { transA: transB, transB: true, alpha }) : g.gemm(dY, B, { transB: !transB, alpha });
  const dB = () =>
    transB ? g.gemm(dY, A, { transA: true, transB: transA, alpha }) : g.gemm(A, dY, { transA: !transA, alpha });
  const dC = () => C && g.mul(g.sumTo(dY, C.shape), node.attr.float('beta', 1));
  return [needs(0) ? dA() : undefined, needs(1) ? dB() : undefined, needs(2) ? dC() : undefined];
});
