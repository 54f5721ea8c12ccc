import { dtypeOfCode } from '../element-types.ts';
import type { InferContext, InferRule } from '../infer.ts';
import { axisOf, fail, intAttribute, required, typeOf } from './access.ts';

/** One scale for all, or one for each index of `axis`. */
function checkScale(context: InferContext): void {
  const [{ shape }, scale] = [required(context, 0), required(context, 1)];
  if (intAttribute(context, 'block_size', 0) !== 0) fail(context, 'expected scales that are not by blocks');
  if (scale.shape.every((dim) => dim === 1)) return;
  const axis = axisOf(context, intAttribute(context, 'axis', 1), shape.length);
  if (scale.shape.length !== 1 || scale.shape[0] !== shape[axis])
    fail(context, `expected one scale or one for each of ${shape[axis] ?? 0} along axis ${axis}`);
}

const quantize: InferRule = (context) => {
  checkScale(context);
  const given = context.inputs[2]?.dtype ?? dtypeOfCode(intAttribute(context, 'output_dtype', 0));
  return [typeOf(given ?? 'uint8', required(context, 0).shape)];
};

const dequantize: InferRule = (context) => {
  checkScale(context);
  return [typeOf(required(context, 1).dtype, required(context, 0).shape)];
};

export const quantisation: Readonly<Record<string, InferRule>> = {
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
};
