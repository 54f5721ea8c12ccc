import type { InferContext, InferRule } from '../infer.ts';
import { axesOf, fail, intsAttribute, required, constantNumbers, stringAttribute, typeOf } from './access.ts';

/** What a Resize node does to each of its axes: the scale it samples with and the size it makes. */
export interface ResizePlan {
  readonly axes: readonly number[];
  readonly scales: readonly number[];
  readonly sizes: readonly number[];
}

const empty = (list: readonly number[] | undefined): list is undefined => list === undefined || list.length === 0;

/** Works out scales and sizes of Resize-19: from `scales` (input 2) or `sizes` (input 3), axes and aspect policy. */
export function resizePlan(context: InferContext): ResizePlan {
  const { shape } = required(context, 0);
  const axes = axesOf(context, intsAttribute(context, 'axes') ?? shape.map((_, i) => i), shape.length);
  const given = axes.map((axis) => shape[axis] ?? 1);
  const scales = constantNumbers(context, 2, 'scales');
  const wanted = constantNumbers(context, 3, 'sizes');
  if (empty(scales) === empty(wanted)) fail(context, 'expected either scales or sizes');
  if (!empty(scales)) {
    if (scales.length !== axes.length) fail(context, `expected ${axes.length} scales, got ${scales.length}`);
    const crop = stringAttribute(context, 'coordinate_transformation_mode', 'half_pixel') === 'tf_crop_and_resize';
    const roi = crop
      ? (constantNumbers(context, 1, 'roi') ?? fail(context, 'expected roi for tf_crop_and_resize'))
      : [];
    const part = (i: number): number => (crop ? (roi[i + axes.length] ?? 1) - (roi[i] ?? 0) : 1);
    return { axes, scales, sizes: given.map((size, i) => Math.floor(size * part(i) * (scales[i] ?? 1))) };
  }
  if (empty(wanted) || wanted.length !== axes.length)
    return fail(context, `expected ${axes.length} sizes, got ${wanted?.length}`);
  const ratios = wanted.map((size, i) => size / (given[i] ?? 1));
  const policy = stringAttribute(context, 'keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return { axes, scales: ratios, sizes: wanted };
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  // Halves round up: the specification rounds x to floor(x + 1/2).
  return { axes, scales: ratios.map(() => scale), sizes: given.map((size) => Math.floor(size * scale + 0.5)) };
}

const resize: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const plan = resizePlan(context);
  const result = [...shape];
  plan.axes.forEach((axis, i) => (result[axis] = plan.sizes[i] ?? 0));
  return [typeOf(dtype, result)];
};

export const resizing: Readonly<Record<string, InferRule>> = { Resize: resize };
