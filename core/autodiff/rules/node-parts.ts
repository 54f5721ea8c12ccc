import { invariant, WorkbenchError } from '../../base/errors.ts';
import type { DType } from '../../base/tensor.ts';
import type { Attribute } from '../../onnx/graph.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';
import type { RuleContext } from '../rule.ts';

/** The first output of a standard operator that the builder has no function for. */
export function emit(
  g: GraphBuilder,
  op: string,
  inputs: readonly (Value | undefined)[],
  attributes: Readonly<Record<string, Attribute>> = {},
): Value {
  const [value] = g.op(op, inputs, attributes);
  invariant(value, `${op} has an output`);
  return value;
}

/** An axis counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** The numbers of an input that shape inference has found to be known before running. */
export function numbersOf(value: Value | undefined): readonly number[] | undefined {
  return value?.constant && Array.from(value.constant.data, Number);
}

export const isFloat = (value: { readonly dtype: DType } | undefined): boolean =>
  value?.dtype.startsWith('float') ?? false;

/** Throws for a form of a known operator that cannot be differentiated; `what` completes the sentence "… because". */
export function refuse(node: RuleContext['node'], what: string): never {
  throw new WorkbenchError('OP_NO_GRADIENT', `No gradient for ${node.op} (${node.name}): ${what}`, {
    hint: 'Choose an output before this operator, or see docs/ops.md for the forms that can be differentiated.',
    details: { operators: [node.op] },
  });
}

/** [0, 1, …, n−1]. */
export const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
