import { string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { emit, refuse } from './node-parts.ts';

/**
 * The gradient of one operand is the Einsum of the cotangent and the other operands onto its own indices; an index
 * that only this operand has is summed away forward, so it is spread again. Repeated indices within an operand have no rule.
 */
export const Einsum = differentiable('Einsum', ({ node, x, y: [Y], dY: [dY], g, needs }) => {
  if (!Y || !dY) return [];
  const shapes = x.map((value) => value?.shape ?? []);
  const { terms, result } = explicitIndices(node.attr.string('equation', ''), shapes, Y.shape.length);
  const sizes = new Map<string, number>();
  terms.forEach((term, i) => {
    [...term].forEach((index, axis) => sizes.set(index, Math.max(sizes.get(index) ?? 1, shapes[i]?.[axis] ?? 1)));
  });
  return x.map((value, i) => {
    const term = terms[i] ?? '';
    if (!value || !needs(i)) return undefined;
    if (new Set(term).size !== term.length) refuse(node, `operand ${i} repeats an index ("${term}")`);
    const others = terms.flatMap((other, k) => (k === i ? [] : [{ other, operand: x[k] }]));
    const reachable = [...term].filter(
      (index) => result.includes(index) || others.some(({ other }) => other.includes(index)),
    );
    const equation = `${[result, ...others.map(({ other }) => other)].join(',')}->${reachable.join('')}`;
    const partial = emit(g, 'Einsum', [dY, ...others.map(({ operand }) => operand)], { equation: string(equation) });
    const kept = g.reshape(
      partial,
      [...term].map((index) => (reachable.includes(index) ? (sizes.get(index) ?? 1) : 1)),
    );
    const wide = g.expand(
      kept,
      [...term].map((index) => sizes.get(index) ?? 1),
    );
    return g.sumTo(wide, value.shape);
  });
});

/** The equation with "..." written out in letters of its own, and an explicit result. */
function explicitIndices(
  equation: string,
  shapes: readonly (readonly number[])[],
  rank: number,
): { terms: string[]; result: string } {
  const [left = '', right] = equation.replaceAll(' ', '').split('->');
  const free = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
    .split('')
    .filter((letter) => !equation.includes(letter));
  const hidden = left
    .split(',')
    .map((term, i) => (term.includes('...') ? (shapes[i]?.length ?? 0) - term.length + 3 : 0));
  const most = Math.max(0, ...hidden);
  const letters = (count: number): string => free.slice(most - count, most).join('');
  const terms = left.split(',').map((term, i) => term.replace('...', letters(hidden[i] ?? 0)));
  if (right !== undefined) return { terms, result: right.replace('...', letters(most)) };
  const all = terms.join('');
  const once = [...new Set(all)].filter(
    (index) => !free.includes(index) && all.indexOf(index) === all.lastIndexOf(index),
  );
  const result = letters(most) + once.sort().join('');
  return { terms, result: result.slice(0, rank) };
}
