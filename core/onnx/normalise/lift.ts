import type { DType, Tensor } from '../../base/tensor.ts';
import type { Attribute, GraphNode } from '../graph.ts';

/** What a lift may ask and do besides returning nodes. */
export interface LiftScope {
  /** Adds an initialiser and returns its name. */
  readonly constant: (node: GraphNode, role: string, tensor: Tensor) => string;
  /** A value name that is not in use. */
  readonly fresh: (node: GraphNode, role: string) => string;
  readonly constantOf: (name: string) => Tensor | undefined;
  readonly rankOf: (name: string) => number | undefined;
  /** The size of a dimension where it is known. */
  readonly dimOf: (name: string, axis: number) => number | undefined;
  /** The element type where it is known. */
  readonly dtypeOf: (name: string) => DType | undefined;
  /** Whether anything reads the value. */
  readonly isUsed: (name: string) => boolean;
  /** Records why the node cannot be lifted; all reasons are reported together. */
  readonly refuse: (node: GraphNode, reason: string) => readonly GraphNode[];
}

/** Rewrites a node written for an operator set older than `below` into the form of `below`. */
export interface Lift {
  readonly op: string;
  readonly below: number;
  readonly lift: (node: GraphNode, scope: LiftScope) => readonly GraphNode[];
}

export function intOf(node: GraphNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === 'int' ? attribute.value : fallback;
}

export function floatOf(node: GraphNode, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.type === 'float' ? attribute.value : fallback;
}

export function intsOf(node: GraphNode, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.type === 'ints' ? attribute.value : undefined;
}

export function stringOf(node: GraphNode, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.type === 'string' ? attribute.value : fallback;
}

/** The attributes without some, and with others. */
export function withAttributes(
  node: GraphNode,
  without: readonly string[],
  and: Readonly<Record<string, Attribute>> = {},
): Readonly<Record<string, Attribute>> {
  const kept = Object.entries(node.attributes).filter(([name]) => !without.includes(name));
  return { ...Object.fromEntries(kept), ...and };
}

/** Inputs with a value at a position, absent ones before it marked as ''. */
export function withInput(inputs: readonly string[], index: number, name: string): readonly string[] {
  const result = Array.from({ length: Math.max(inputs.length, index + 1) }, (_, i) => inputs[i] ?? '');
  result[index] = name;
  return result;
}
