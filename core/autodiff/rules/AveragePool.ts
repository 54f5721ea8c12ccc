import { string } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { multiplyAlong, transposed, windowMatrix, type Matrix } from './matrix-parts.ts';
import { emit, upTo } from './node-parts.ts';
import { poolWindow, type PoolAxis } from './pool-parts.ts';

/**
 * The mean over a window is the product of a mean along each axis, also at the borders, where a window counts only what it
 * holds (with count_include_pad, the padding too). So dX applies the transpose of one constant matrix along each axis; for windows
 * that tile the input it repeats each cotangent instead.
 */
export const AveragePool = differentiable('AveragePool', ({ node, x: [X], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const axes = poolWindow(node, X.shape, dY.shape);
  const tiled = axes.every(
    (a) => a.stride === a.kernel && a.dilation === 1 && a.begin === 0 && a.size === a.kernel * a.count,
  );
  if (tiled && X.dtype === 'float32' && axes.length === 2) {
    const share = g.mul(dY, 1 / axes.reduce((area, a) => area * a.kernel, 1));
    return [
      emit(g, 'Resize', [share, undefined, g.floats([4], [1, 1, ...axes.map((a) => a.kernel)])], {
        mode: string('nearest'),
        coordinate_transformation_mode: string('asymmetric'),
        nearest_mode: string('floor'),
      }),
    ];
  }
  const withPadding = node.attr.flag('count_include_pad');
  return [
    axes.reduce((value, axis, i) => multiplyAlong(g, value, i + 2, transposed(meanMatrix(axis, withPadding))), dY),
  ];
});

function meanMatrix(axis: PoolAxis, withPadding: boolean): Matrix {
  const { kernel, stride, dilation, begin, end, size } = axis;
  return windowMatrix(axis, (row) => {
    const places = upTo(kernel).map((k) => row * stride - begin + k * dilation);
    const last = size + (withPadding ? end : Math.min(0, end));
    const held = places.filter((place) => (withPadding || place >= 0) && place < last).length;
    return held > 0 ? 1 / held : 0;
  });
}
