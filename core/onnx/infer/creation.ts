import type { InferRule } from '../infer.ts';
import { requireDtype } from '../element-types.ts';
import { fail, intAttribute, ofRank, required, requiredNumbers, sameDtype, typeOf } from './access.ts';

/** Attributes start and end choose a part of the shape. */
const shape: InferRule = (context) => {
  const dims = required(context, 0).shape;
  const end = context.attributes['end'] === undefined ? undefined : intAttribute(context, 'end', dims.length);
  return [typeOf('int64', [dims.slice(intAttribute(context, 'start', 0), end).length])];
};

const size: InferRule = (context) => {
  required(context, 0);
  return [typeOf('int64', [])];
};

const range: InferRule = (context) => {
  const [start, limit, delta] = ['start', 'limit', 'delta'].map(
    (what, index) => requiredNumbers(context, index, what)[0],
  );
  if (start === undefined || limit === undefined || delta === undefined || delta === 0) {
    fail(context, 'expected start, limit and a delta other than 0');
  }
  return [typeOf(sameDtype(context), [Math.max(0, Math.ceil((limit - start) / delta))])];
};

const constantOfShape: InferRule = (context) => {
  const value = context.attributes['value'];
  const dtype = value?.type === 'tensor' ? value.value.dtype : 'float32';
  return [typeOf(dtype, requiredNumbers(context, 0, 'shape'))];
};

const eyeLike: InferRule = (context) => {
  const { dtype, shape: dims } = ofRank(context, 0, 2);
  const code = intAttribute(context, 'dtype', 0);
  return [typeOf(code === 0 ? dtype : requireDtype(code, `EyeLike (${context.nodeName})`), dims)];
};

/** A Constant node in any of its forms but the sparse one and strings. */
const constant: InferRule = (context) => {
  const [entry] = Object.entries(context.attributes).filter(([name]) => name.startsWith('value'));
  if (entry === undefined) fail(context, 'expected a value attribute, got none');
  const attribute = entry[1];
  switch (attribute.type) {
    case 'tensor':
      return [typeOf(attribute.value.dtype, attribute.value.dims)];
    case 'float':
      return [typeOf('float32', [])];
    case 'int':
      return [typeOf('int64', [])];
    case 'floats':
      return [typeOf('float32', [attribute.value.length])];
    case 'ints':
      return [typeOf('int64', [attribute.value.length])];
    default:
      return fail(context, `expected numbers, got attribute ${entry[0]} of type ${attribute.type}`);
  }
};

export const creation: Readonly<Record<string, InferRule>> = {
  Shape: shape,
  Size: size,
  Range: range,
  ConstantOfShape: constantOfShape,
  EyeLike: eyeLike,
  Constant: constant,
};
