import { differentiable } from '../rule.ts';
import { sliceRanges } from '../../onnx/infer/layout.ts';
import { placeStrided } from './place-parts.ts';

/** The cotangent goes back to the places that were read; zeros elsewhere. Any steps. */
export const Slice = differentiable('Slice', ({ node, x, dY: [dY], g }) => {
  const [X] = x;
  if (!X || !dY) return [];
  const ranges = sliceRanges({ op: 'Slice', nodeName: node.name, inputs: x, attributes: {}, outputCount: 1 });
  return [placeStrided(g, dY, ranges, X.shape)];
});
