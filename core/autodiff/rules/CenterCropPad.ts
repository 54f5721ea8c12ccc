import { centred } from '../../onnx/infer/convolution.ts';
import { differentiable } from '../rule.ts';
import { padOrCrop } from './place-parts.ts';

/** Zeros around X, or the middle of it, axis by axis; what was cut off has no gradient. */
export const CenterCropPad = differentiable('CenterCropPad', ({ x: [X], y: [Y], dY: [dY], g }) => {
  if (!X || !Y || !dY) return [];
  const begins = X.shape.map((size, axis) => -centred(size, Y.shape[axis] ?? size));
  const ends = X.shape.map((size, axis) => size - (Y.shape[axis] ?? size) - (begins[axis] ?? 0));
  return [padOrCrop(g, dY, begins, ends)];
});
