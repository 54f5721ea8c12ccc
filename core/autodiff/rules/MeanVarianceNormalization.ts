import { differentiable } from '../rule.ts';
import { fromFront } from './node-parts.ts';
import { standardise, standardisedGradient } from './normalise-parts.ts';

/** X is standardised over `axes` (batch and space unless given), with onnxruntime's epsilon of 1e-9. */
export const MeanVarianceNormalization = differentiable(
  'MeanVarianceNormalization',
  ({ node, x: [X], dY: [dY], g }) => {
    if (!X || !dY) return [];
    const axes = (node.attr.ints('axes') ?? [0, 2, 3]).map((axis) => fromFront(axis, X.shape.length));
    return [standardisedGradient(g, standardise(g, X, axes, 1e-9), dY)];
  },
);
