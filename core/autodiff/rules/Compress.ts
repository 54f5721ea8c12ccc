import { compressedPlaces } from '../../onnx/infer/indexing.ts';
import { differentiable } from '../rule.ts';
import { gatherAdjoint } from './index-map-parts.ts';
import { product } from './node-parts.ts';

/** The kept elements take their cotangents back to where they were; the condition is known before running. */
export const Compress = differentiable('Compress', ({ node, x, dY: [dY], g }) => {
  const [X] = x;
  if (!X || !dY) return [];
  const context = { op: 'Compress', nodeName: node.name, inputs: x, attributes: node.attr.all, outputCount: 1 };
  const { axis, kept } = compressedPlaces(context);
  if (kept.length === 0) return [g.full(X.shape, 0, X.dtype)];
  const size = axis === undefined ? product(X.shape) : (X.shape[axis] ?? 0);
  return [g.reshape(gatherAdjoint(g, dY, axis ?? 0, kept, size), X.shape)];
});
