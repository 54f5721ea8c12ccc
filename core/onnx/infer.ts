import type { DType, Tensor } from '../base/tensor.ts';
import type { Attribute } from './graph.ts';

/** Type of a value with every dimension known. */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** What shape inference sees of an input: its type and, when known before running, its content. */
export interface InferInput extends ValueType {
  readonly constant: Tensor | undefined;
}

export interface InferContext {
  readonly op: string;
  readonly nodeName: string;
  /** undefined for an absent optional input. */
  readonly inputs: readonly (InferInput | undefined)[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** How many outputs the node declares. */
  readonly outputCount: number;
}

/** Types of all outputs of a house-opset node, from input types (static dims) and constants. Throws SHAPE_MISMATCH. */
export type InferRule = (context: InferContext) => readonly ValueType[];
