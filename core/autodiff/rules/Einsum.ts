import { type DType, tensor } from '../../base/tensor.ts';
import { string } from '../attributes.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import { arrayOf } from '../filled.ts';
import { differentiable } from '../rule.ts';
import { emit } from './node-parts.ts';

/**
 * The gradient of one operand is the Einsum of the cotangent and the other operands onto its own indices; an index
 * that only this operand has is summed away forward, so it is spread again. An index that the operand repeats reads a
 * diagonal: off it the gradient is 0.
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
    const others = terms.flatMap((other, k) => (k === i ? [] : [{ other, operand: x[k] }]));
    const reachable = [...new Set(term)].filter(
      (index) => result.includes(index) || others.some(({ other }) => other.includes(index)),
    );
    const equation = `${[result, ...others.map(({ other }) => other)].join(',')}->${reachable.join('')}`;
    const partial = emit(g, 'Einsum', [dY, ...others.map(({ operand }) => operand)], { equation: string(equation) });
    const kept = g.reshape(
      partial,
      [...term].map((index, axis) =>
        reachable.includes(index) && term.indexOf(index) === axis ? (sizes.get(index) ?? 1) : 1,
      ),
    );
    const wide = g.expand(
      diagonals(term).reduce((grad, pair) => g.mul(grad, onDiagonal(g, pair, term, sizes, dY.dtype)), kept),
      [...term].map((index) => sizes.get(index) ?? 1),
    );
    return g.sumTo(wide, value.shape);
  });
});

type Pair = readonly [first: number, again: number];

/** The axes of each repetition of an index, with the axis where it stands first. */
const diagonals = (term: string): Pair[] =>
  [...term].flatMap((index, axis): Pair[] => (term.indexOf(index) < axis ? [[term.indexOf(index), axis]] : []));

/** Ones where two axes agree, else zeros; of size 1 on all other axes. */
function onDiagonal(
  g: GraphBuilder,
  pair: Pair,
  term: string,
  sizes: ReadonlyMap<string, number>,
  dtype: DType,
): Value {
  const size = sizes.get(term[pair[0]] ?? '') ?? 1;
  const values = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
  const dims = [...term].map((_, axis) => (pair.includes(axis) ? size : 1));
  return g.constant(tensor(dtype, dims, arrayOf(dtype, values)));
}

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
