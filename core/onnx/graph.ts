import type { DType, Tensor } from '../base/tensor.ts';

/** A dimension: a size, or the name of a symbolic one ('' when the file says nothing). */
export type Dim = number | string;

export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  /** undefined when the rank is unknown. */
  readonly shape: readonly Dim[] | undefined;
}

export type Attribute =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'float'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'ints'; readonly value: readonly number[] }
  | { readonly type: 'floats'; readonly value: readonly number[] }
  | { readonly type: 'strings'; readonly value: readonly string[] }
  | { readonly type: 'tensor'; readonly value: Tensor }
  | { readonly type: 'graph'; readonly value: Graph };

export interface GraphNode {
  readonly name: string;
  /** '' for the standard operator set. */
  readonly domain: string;
  readonly op: string;
  /** Value names; '' for an absent optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** An ONNX graph in single static assignment form, nodes in topological order. Never changed in place. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  readonly nodes: readonly GraphNode[];
  /** Types and shapes of inner values, where known. */
  readonly valueInfo: ReadonlyMap<string, ValueInfo>;
}

export interface OnnxModel {
  readonly irVersion: number;
  /** Operator set of the standard domain. */
  readonly opset: number;
  readonly otherOpsets: Readonly<Record<string, number>>;
  readonly producer: string;
  readonly graph: Graph;
  readonly metadata: Readonly<Record<string, string>>;
}

/** The one operator set that rules, builders and shape inference know (docs/adr/0002). */
export const HOUSE_OPSET = 21;
/** IR version that goes with HOUSE_OPSET (ONNX 1.16). */
export const HOUSE_IR_VERSION = 10;
