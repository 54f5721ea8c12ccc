import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/** Y = A − B·trunc(A/B) (fmod = 1, the only form for floats): slope 1 in A and −trunc(A/B) in B. */
export const Mod = differentiable('Mod', ({ x: [A, B], y: [Y], dY: [dY], g, needs }) => {
  if (!A || !B || !Y || !dY) return [];
  const quotient = () => emit(g, 'Round', [g.div(g.sub(A, Y), B)]);
  return [
    needs(0) ? g.sumTo(dY, A.shape) : undefined,
    needs(1) ? g.neg(g.sumTo(g.mul(dY, quotient()), B.shape)) : undefined,
  ];
});
