import { WorkbenchError } from '../base/errors.ts';
import type { InferContext, InferRule, ValueType } from './infer.ts';
import { fail, rankLimit } from './infer/access.ts';
import { convolution } from './infer/convolution.ts';
import { creation } from './infer/creation.ts';
import { elementwise } from './infer/elementwise.ts';
import { indexing } from './infer/indexing.ts';
import { layout } from './infer/layout.ts';
import { linear } from './infer/linear.ts';
import { normalisation } from './infer/normalisation.ts';
import { quantisation } from './infer/quantisation.ts';
import { reduction } from './infer/reduction.ts';
import { resizing } from './infer/resize.ts';

const table: ReadonlyMap<string, InferRule> = new Map(
  [
    elementwise,
    linear,
    convolution,
    normalisation,
    reduction,
    layout,
    indexing,
    creation,
    resizing,
    quantisation,
  ].flatMap((family) => Object.entries(family)),
);

/** Ops of the house operator set whose types can be worked out before running. */
export const inferableOps: readonly string[] = [...table.keys()].sort();

/**
 * Types of the outputs that a house-opset node declares, in order, all dimensions known.
 * Throws OP_UNSUPPORTED for an op without a rule and SHAPE_MISMATCH naming node, op and shapes when inputs do not fit.
 */
export function inferTypes(context: InferContext): readonly ValueType[] {
  const rule = table.get(context.op);
  if (rule === undefined) {
    throw new WorkbenchError('OP_UNSUPPORTED', `${context.op} (${context.nodeName}): no shape rule for this operator`, {
      hint: 'docs/ops.md lists the operators that are covered.',
    });
  }
  const types = rule(context);
  if (types.length < context.outputCount)
    fail(context, `expected at most ${types.length} outputs, got ${context.outputCount}`);
  const flat = types.find(({ shape }) => shape.length > rankLimit);
  if (flat) fail(context, `expected at most ${rankLimit} dimensions, got ${flat.shape.length}`);
  return types.slice(0, context.outputCount);
}
