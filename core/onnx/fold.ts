import { emptyData, int64, sizeOf, type Tensor } from '../base/tensor.ts';
import { type FoldRule, arithmeticFolds } from './fold/arithmetic.ts';
import { rearrangeFolds } from './fold/rearrange.ts';
import { inferTypes } from './infer-table.ts';
import type { InferContext, ValueType } from './infer.ts';

/** Results above this many elements stay in the graph: folding is for shape arithmetic, not for weights. */
const elementLimit = 65_536;

const rules: ReadonlyMap<string, FoldRule> = new Map([
  ...Object.entries(arithmeticFolds),
  ...Object.entries(rearrangeFolds),
]);

/**
 * The outputs of a house-opset node where they are known before running; undefined where not. Shape and Size need only
 * the type of their input, CastLike that of its second; the other ops need constants. 64-bit integers are exact; floats are computed in float64 and
 * rounded once, which for + − × ÷ √ equals float32 arithmetic.
 * Throws SHAPE_MISMATCH where inputs do not fit together.
 */
export function foldNode(context: InferContext): readonly Tensor[] | undefined {
  const [first] = context.inputs;
  if (first !== undefined && context.op === 'Shape') return [shapeTensor(context, first.shape)];
  if (first !== undefined && context.op === 'Size') return [int64([], [sizeOf(first.shape)])];
  const rule = rules.get(context.op);
  if (rule === undefined || context.inputs.length === 0) return undefined;
  // Of its second input CastLike takes the type alone.
  const read = context.op === 'CastLike' ? context.inputs.slice(0, 1) : context.inputs;
  const constants = read.map((input) => input?.constant);
  if (read.some((input) => input !== undefined && input.constant === undefined)) return undefined;
  const outputs = inferTypes(context);
  if (outputs.some(({ shape }) => sizeOf(shape) > elementLimit)) return undefined;
  if (constants.some((constant) => constant !== undefined && constant.data.length > elementLimit)) return undefined;
  // Nothing to compute; the other sizes of an empty tensor may be of any length.
  if (outputs.every(({ shape }) => sizeOf(shape) === 0)) return outputs.map(emptyOf);
  return rule(context, constants, outputs);
}

const emptyOf = ({ dtype, shape }: ValueType): Tensor => ({ dtype, dims: shape, data: emptyData(dtype, 0) });

function shapeTensor(context: InferContext, shape: readonly number[]): Tensor {
  const { start, end } = { start: context.attributes['start'], end: context.attributes['end'] };
  const part = shape.slice(start?.type === 'int' ? start.value : 0, end?.type === 'int' ? end.value : undefined);
  return int64([part.length], part);
}
