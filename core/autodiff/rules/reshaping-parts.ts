import { differentiable, type RuleEntry } from '../rule.ts';

/** Rule of an operator that keeps the elements in order: the cotangent takes the input's shape. */
export function reshaping(op: string): RuleEntry {
  return differentiable(op, ({ x: [X], dY: [dY], g }) => (X && dY ? [g.reshape(dY, X.shape)] : []));
}
