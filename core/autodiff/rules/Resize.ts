import { differentiable } from '../rule.ts';
import { resizePlan } from '../../onnx/infer/resize.ts';
import { multiplyAlong, repeatFactor, transposed } from './matrix-parts.ts';
import { resizeMatrix } from './resize-parts.ts';

/**
 * Modes nearest, linear and cubic are linear maps along each axis, so dX applies their transposes: a sum over blocks for
 * nearest-neighbour enlargement by a whole factor, else a product with a constant matrix.
 */
export const Resize = differentiable('Resize', ({ node, x, y: [Y], dY: [dY], g }) => {
  const [X] = x;
  if (!X || !Y || !dY) return [];
  const plan = resizePlan({ op: 'Resize', nodeName: node.name, inputs: x, attributes: node.attr.all, outputCount: 1 });
  // onnxruntime copies what keeps its shape.
  if (Y.shape.every((size, axis) => size === X.shape[axis])) return [dY];
  let value = dY;
  plan.axes.forEach((axis, i) => {
    const [from, to, scale] = [X.shape[axis] ?? 1, plan.sizes[i] ?? 1, plan.scales[i] ?? 1];
    const matrix = resizeMatrix(node.attr, { from, to, scale, roi: plan.rois[i] ?? [0, 1] });
    const factor = repeatFactor(matrix);
    if (factor === undefined) {
      value = multiplyAlong(g, value, axis, transposed(matrix));
    } else if (factor > 1) {
      const blocks = [...value.shape.slice(0, axis), from, factor, ...value.shape.slice(axis + 1)];
      value = g.reduceSum(g.reshape(value, blocks), [axis + 1]);
    }
  });
  return [value];
});
