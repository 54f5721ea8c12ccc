import type { InferContext, InferRule } from '../infer.ts';
import { axesOf, fail, intsAttribute, required, constantNumbers, stringAttribute, typeOf } from './access.ts';

/** What a Resize node does to each of its axes: the scale it samples with and the size it makes. */
export interface ResizePlan {
  readonly axes: readonly number[];
  readonly scales: readonly number[];
  readonly sizes: readonly number[];
  /** The part that tf_crop_and_resize takes, as fractions of the size. */
  readonly rois: readonly (readonly [start: number, end: number])[];
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
  const rois = croppedParts(context, axes.length);
  if (!empty(scales)) {
    if (scales.length !== axes.length) fail(context, `expected ${axes.length} scales, got ${scales.length}`);
    // By the scale alone, as onnxruntime does; the specification would shrink it by the part that is cropped, too.
    return { axes, scales, rois, sizes: given.map((size, i) => Math.floor(Math.fround(size * (scales[i] ?? 1)))) };
  }
  if (empty(wanted) || wanted.length !== axes.length)
    return fail(context, `expected ${axes.length} sizes, got ${wanted?.length}`);
  const ratios = wanted.map((size, i) => Math.fround(size / (given[i] ?? 1)));
  const policy = stringAttribute(context, 'keep_aspect_ratio_policy', 'stretch');
  if (policy === 'stretch') return { axes, scales: ratios, rois, sizes: wanted };
  const scale = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios);
  const sizes = given.map((size) => Math.floor(Math.fround(size * scale) + 0.5));
  return { axes, scales: ratios.map(() => scale), rois, sizes };
}

function croppedParts(context: InferContext, count: number): ResizePlan['rois'] {
  const mode = stringAttribute(context, 'coordinate_transformation_mode', 'half_pixel');
  const roi = mode === 'tf_crop_and_resize' ? constantNumbers(context, 1, 'roi') : undefined;
  // onnxruntime takes the whole where roi is left out.
  if (empty(roi)) return Array.from({ length: count }, () => [0, 1]);
  if (roi.length !== 2 * count) fail(context, `expected ${2 * count} numbers as roi, got ${roi.length}`);
  return Array.from({ length: count }, (_, i) => [roi[i] ?? 0, roi[i + count] ?? 1]);
}

const resize: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const plan = resizePlan(context);
  const result = [...shape];
  plan.axes.forEach((axis, i) => (result[axis] = plan.sizes[i] ?? 0));
  return [typeOf(dtype, result)];
};

export const resizing: Readonly<Record<string, InferRule>> = { Resize: resize };
