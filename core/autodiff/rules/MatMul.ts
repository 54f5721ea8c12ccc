import { differentiable } from '../rule.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { product, upTo } from './node-parts.ts';

/** Y = A·B over the last two axes, the others broadcast; a vector stands for a row (A) or a column (B). */
export const MatMul = differentiable('MatMul', ({ x: [A, B], dY: [dY], g, needs }) => {
  if (!A || !B || !dY) return [];
  const a = A.shape.length === 1 ? g.reshape(A, [1, ...A.shape]) : A;
  const b = B.shape.length === 1 ? g.reshape(B, [...B.shape, 1]) : B;
  const [rows = 1, columns = 1] = [a.shape.at(-2), b.shape.at(-1)];
  const batch = dY.shape.slice(0, dY.shape.length - (A.shape.length > 1 ? 1 : 0) - (B.shape.length > 1 ? 1 : 0));
  const dOut = g.reshape(dY, [...batch, rows, columns]);
  return [
    needs(0) ? g.reshape(leftGradient(g, a, b, dOut), A.shape) : undefined,
    needs(1) ? g.reshape(rightGradient(g, a, b, dOut), B.shape) : undefined,
  ];
});

/** dA = dY·Bᵀ; one Gemm where B is a plain matrix. */
function leftGradient(g: GraphBuilder, a: Value, b: Value, dY: Value): Value {
  if (b.shape.length === 2)
    return g.reshape(g.gemm(asRows(g, dY), b, { transB: true }), [...dY.shape.slice(0, -1), b.shape[0] ?? 1]);
  return g.sumTo(g.matmul(dY, lastTwoSwapped(g, b)), a.shape);
}

/** dB = Aᵀ·dY; one Gemm over all rows where B is a plain matrix. */
function rightGradient(g: GraphBuilder, a: Value, b: Value, dY: Value): Value {
  if (b.shape.length === 2) return g.gemm(asRows(g, a), asRows(g, dY), { transA: true });
  return g.sumTo(g.matmul(lastTwoSwapped(g, a), dY), b.shape);
}

const asRows = (g: GraphBuilder, x: Value): Value => g.reshape(x, [product(x.shape.slice(0, -1)), x.shape.at(-1) ?? 1]);

function lastTwoSwapped(g: GraphBuilder, x: Value): Value {
  const order = upTo(x.shape.length);
  return g.transpose(x, [...order.slice(0, -2), order.length - 1, order.length - 2]);
}
