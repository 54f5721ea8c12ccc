import type { InferContext, InferRule } from '../infer.ts';
import { requireDtype } from '../element-types.ts';
import { broadcast, fail, intAttribute, required, sameDtype, typeOf } from './access.ts';

/** Y has the type of the first input. */
const sameAsInput: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  return [typeOf(dtype, shape)];
};

const toBool: InferRule = (context) => [typeOf('bool', required(context, 0).shape)];

const shapesOf = (context: InferContext, from = 0): readonly (readonly number[])[] => {
  const shapes = context.inputs.slice(from).flatMap((value) => (value === undefined ? [] : [value.shape]));
  return shapes.length === 0 ? fail(context, 'expected at least one input, got none') : shapes;
};

const broadcasting: InferRule = (context) => [typeOf(sameDtype(context), broadcast(context, shapesOf(context)))];

const logical: InferRule = (context) => {
  if (sameDtype(context) !== 'bool') fail(context, 'expected inputs of type bool');
  return [typeOf('bool', broadcast(context, shapesOf(context)))];
};

const comparing: InferRule = (context) => {
  sameDtype(context);
  return [typeOf('bool', broadcast(context, shapesOf(context)))];
};

/** The exponent may have another element type than the base; Y has the base's. */
const pow: InferRule = (context) => [typeOf(required(context, 0).dtype, broadcast(context, shapesOf(context)))];

/** The slope must broadcast to X, never widen it. */
const prelu: InferRule = (context) => {
  const { shape } = required(context, 0);
  const wide = broadcast(context, shapesOf(context));
  if (wide.length !== shape.length || wide.some((dim, i) => dim !== shape[i])) {
    fail(context, 'expected a slope that broadcasts to the input');
  }
  return [typeOf(sameDtype(context), shape)];
};

const where: InferRule = (context) => {
  const condition = required(context, 0);
  if (condition.dtype !== 'bool') fail(context, `expected the condition to be bool, got ${condition.dtype}`);
  return [typeOf(sameDtype(context, 1, 3), broadcast(context, shapesOf(context)))];
};

const cast: InferRule = (context) => {
  const dtype = requireDtype(intAttribute(context, 'to', 0), `${context.op} (${context.nodeName}), attribute to,`);
  return [typeOf(dtype, required(context, 0).shape)];
};

const castLike: InferRule = (context) => [typeOf(required(context, 1).dtype, required(context, 0).shape)];

/** min and max are scalars. */
const clip: InferRule = (context) => {
  const { shape } = required(context, 0);
  for (const bound of context.inputs.slice(1)) {
    if (bound !== undefined && bound.shape.some((dim) => dim !== 1)) fail(context, 'expected scalar bounds');
  }
  return [typeOf(sameDtype(context), shape)];
};

const dropout: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  return [typeOf(dtype, shape), typeOf('bool', shape)];
};

const named = (rule: InferRule, names: string): Record<string, InferRule> =>
  Object.fromEntries(
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, rule]),
  );

export const elementwise: Readonly<Record<string, InferRule>> = {
  ...named(
    sameAsInput,
    `Neg Abs Sqrt Exp Log Reciprocal Erf Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Tanh Sigmoid Relu
     LeakyRelu ThresholdedRelu Elu Selu Celu Softplus Softsign HardSigmoid HardSwish Gelu Mish Sign Floor Ceil Round
     Identity Not BitwiseNot Shrink`,
  ),
  ...named(toBool, 'IsNaN IsInf'),
  ...named(broadcasting, 'Add Sub Mul Div Mod Min Max Mean Sum BitShift BitwiseAnd BitwiseOr BitwiseXor'),
  ...named(logical, 'And Or Xor'),
  ...named(comparing, 'Greater Less Equal GreaterOrEqual LessOrEqual'),
  Pow: pow,
  PRelu: prelu,
  Where: where,
  Cast: cast,
  CastLike: castLike,
  Clip: clip,
  Dropout: dropout,
};
