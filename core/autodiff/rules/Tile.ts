import { differentiable } from '../rule.ts';

/** Sums over the repetitions. */
export const Tile = differentiable('Tile', ({ x: [X], y: [Y], dY: [dY], g }) => {
  if (!X || !Y || !dY) return [];
  const repeats = X.shape.map((size, axis) => (size === 0 ? 1 : (Y.shape[axis] ?? 0) / size));
  const split = g.reshape(
    dY,
    X.shape.flatMap((size, axis) => [repeats[axis] ?? 1, size]),
  );
  const axes = repeats.flatMap((count, axis) => (count === 1 ? [] : [2 * axis]));
  return [g.reshape(g.reduceSum(split, axes, true), X.shape)];
});
