import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, type Tensor } from '../../base/tensor.ts';
import { resizePlan } from '../../onnx/infer/resize.ts';
import { contextOf, type OneNode, type PlainAttributes, runOneNode, wave } from '../../onnx/testing/one-node.ts';
import { NodeAttributes } from '../emitter.ts';
import { resizeMatrix } from './resize-parts.ts';

/** What the matrices make of X, and of a tensor of ones; extrapolated where a matrix has nothing to say. */
function resized(node: OneNode): { dims: readonly number[]; values: readonly number[] } {
  const context = contextOf(node);
  const attributes = new NodeAttributes({ name: 'tested', op: node.op, attributes: context.attributes });
  const plan = resizePlan(context);
  const [X] = node.inputs;
  assert.ok(X);
  let [dims, values]: [readonly number[], readonly number[]] = [X.dims, Array.from(X.data, Number)];
  let held: readonly number[] = values.map(() => 1);
  const isCropped = attributes.string('coordinate_transformation_mode', '') === 'tf_crop_and_resize';
  if (plan.axes.every((axis, i) => plan.sizes[i] === dims[axis])) return { dims, values };
  plan.axes.forEach((axis, i) => {
    const [from, to] = [dims[axis] ?? 1, plan.sizes[i] ?? 1];
    const m = resizeMatrix(attributes, { from, to, scale: plan.scales[i] ?? 1, roi: plan.rois[i] ?? [0, 1] });
    const after = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
    const before = dims.slice(0, axis).reduce((a, b) => a * b, 1);
    const along = (source: readonly number[]): readonly number[] =>
      Array.from({ length: before * to * after }, (_, at) => {
        const [block, row, last] = [Math.floor(at / (to * after)), Math.floor(at / after) % to, at % after];
        let sum = 0;
        for (let k = 0; k < from; k++)
          sum += (m.values[row * from + k] ?? 0) * (source[(block * from + k) * after + last] ?? 0);
        return sum;
      });
    [values, held] = [along(values), along(held)];
    dims = dims.map((size, k) => (k === axis ? to : size));
  });
  const fill = attributes.float('extrapolation_value', 0);
  return { dims, values: isCropped ? values.map((value, i) => (held[i] === 0 ? fill : value)) : values };
}

const modes = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
];
const samplings: readonly PlainAttributes[] = [
  ...['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil'].map((nearest_mode) => ({ nearest_mode })),
  { mode: 'linear' },
  { mode: 'linear', antialias: 1 },
  { mode: 'linear', antialias: 1, exclude_outside: 1 },
  { mode: 'cubic' },
  { mode: 'cubic', exclude_outside: 1, cubic_coeff_a: { float: -0.5 } },
  { mode: 'cubic', antialias: 1, cubic_coeff_a: { float: -0.5 } },
  { mode: 'cubic', antialias: 1, exclude_outside: 1 },
];
const ints = (...values: number[]): Tensor => int64([values.length], values);
const floats = (...values: number[]): Tensor => float32([values.length], values);
const sizes: readonly { readonly inputs: readonly (Tensor | undefined)[]; readonly more?: PlainAttributes }[] = [
  { inputs: [floats(1, 1, 2, 1.1)] },
  { inputs: [floats(0.6, 0.35)], more: { axes: [2, 3] } },
  { inputs: [undefined, ints(2, 1, 3, 13)] },
  { inputs: [undefined, ints(3, 13)], more: { axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' } },
  { inputs: [undefined, ints(11, 8)], more: { axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller' } },
  { inputs: [undefined, ints(1, 7)], more: { axes: [2, 3] } },
];

describe('matrices of Resize', () => {
  for (const mode of modes) {
    it(`sample as onnxruntime does: ${mode}`, async () => {
      for (const sampling of samplings) {
        for (const { inputs, more } of sizes) {
          const X = wave([2, 1, 6, 7]);
          const isCropped = mode === 'tf_crop_and_resize';
          const all = more?.['axes'] === undefined;
          const roi = all ? floats(0, 0, 0.1, -0.2, 1, 1, 0.8, 1.3) : floats(0.1, -0.2, 0.8, 1.3);
          const node: OneNode = {
            op: 'Resize',
            inputs: [X, isCropped ? roi : undefined, ...inputs],
            attributes: {
              ...sampling,
              ...more,
              coordinate_transformation_mode: mode,
              extrapolation_value: { float: 0.5 },
            },
            constants: [1, 2, 3],
          };
          // Without exclude_outside onnxruntime fails where a linear kernel lies outside altogether.
          const failing = isCropped && sampling['antialias'] === 1 && !('exclude_outside' in sampling);
          if (failing && sampling['mode'] === 'linear') continue;
          const [expected] = await runOneNode(node, [{ dtype: 'float32', shape: [] }]);
          const found = resized(node);
          const what = JSON.stringify(node.attributes);
          assert.deepEqual(found.dims, expected?.dims, what);
          const wanted = Array.from(expected?.data ?? [], Number);
          const worst = Math.max(...found.values.map((value, i) => Math.abs(value - (wanted[i] ?? Number.NaN))));
          assert.ok(
            worst < 2e-5,
            `${what} ${JSON.stringify(inputs.map((t) => t && Array.from(t.data, Number)))}: ${worst}`,
          );
        }
      }
    });
  }
});
