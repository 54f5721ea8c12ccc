import { differentiable } from '../rule.ts';
import { gatherAdjoint } from './index-map-parts.ts';
import { fromFront, numbersOf, upTo } from './node-parts.ts';
import { padOrCrop } from './place-parts.ts';

/**
 * Modes constant, edge, reflect and wrap; negative pads crop before the others are made. A padded place gives its cotangent
 * to the one it copies.
 */
export const Pad = differentiable('Pad', ({ node, x: [X, given, fill, axesGiven], dY: [dY], g, needs }) => {
  if (!X || !dY) return [];
  const rank = X.shape.length;
  const pads = numbersOf(given) ?? [];
  const axes = (numbersOf(axesGiven) ?? upTo(rank)).map((axis) => fromFront(axis, rank));
  const [begins, ends] = [X.shape.map(() => 0), X.shape.map(() => 0)];
  axes.forEach((axis, i) => {
    begins[axis] = pads[i] ?? 0;
    ends[axis] = pads[i + axes.length] ?? 0;
  });
  const mode = node.attr.string('mode', 'constant');
  if (mode === 'constant') {
    const inner = padOrCrop(
      g,
      dY,
      begins.map((p) => -p),
      ends.map((p) => -p),
    );
    const outside = () => fill && g.reshape(g.sub(g.reduceSum(dY), g.reduceSum(inner)), fill.shape);
    return [needs(0) ? inner : undefined, undefined, fill && needs(2) ? outside() : undefined];
  }
  const source = (place: number, size: number): number => {
    if (mode === 'edge') return Math.min(Math.max(place, 0), size - 1);
    if (mode === 'wrap') return ((place % size) + size) % size;
    return place < 0 ? -place : place >= size ? 2 * (size - 1) - place : place;
  };
  return [
    axes.reduce((value, axis) => {
      const [size, begin, end] = [X.shape[axis] ?? 1, begins[axis] ?? 0, ends[axis] ?? 0];
      const [cropped, left] = [Math.max(0, -begin), size + Math.min(0, begin) + Math.min(0, end)];
      const map = upTo(value.shape[axis] ?? 0).map((i) => cropped + source(i - Math.max(0, begin), left));
      return gatherAdjoint(g, value, axis, map, size);
    }, dY),
  ];
});
