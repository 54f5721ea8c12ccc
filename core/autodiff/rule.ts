import { NodeAttributes, type BuiltNode, type Value } from './emitter.ts';
import type { GraphBuilder } from './builder.ts';

/** What a gradient rule sees. Shapes are static, the operator set is the house opset. */
export interface RuleContext {
  readonly node: { readonly name: string; readonly op: string; readonly attr: NodeAttributes };
  /** Inputs; undefined where an optional one is absent. */
  readonly x: readonly (Value | undefined)[];
  /** Outputs of the forward node. */
  readonly y: readonly Value[];
  /** Cotangents of the outputs; undefined is a structural zero. */
  readonly dY: readonly (Value | undefined)[];
  readonly g: GraphBuilder;
  /** Is the gradient of this input wanted? */
  needs(input: number): boolean;
}

/** Gradients of the inputs, in order; undefined is a structural zero or not wanted. */
export type Rule = (context: RuleContext) => readonly (Value | undefined)[];

export type RuleEntry =
  | { readonly op: string; readonly kind: 'differentiable'; readonly rule: Rule }
  | { readonly op: string; readonly kind: 'straight-through'; readonly rule: Rule }
  | { readonly op: string; readonly kind: 'zero'; readonly reason: string };

export function differentiable(op: string, rule: Rule): RuleEntry {
  return { op, kind: 'differentiable', rule };
}

/**
 * Declares that the rule is an estimate: rounding is taken as if it were not there, and integers that come of it pass
 * cotangents on as real numbers.
 */
export function straightThrough(op: string, rule: Rule): RuleEntry {
  return { op, kind: 'straight-through', rule };
}

/** Declares that the derivative is zero almost everywhere. */
export function zeroGradient(op: string, reason: string): RuleEntry {
  return { op, kind: 'zero', reason };
}

export function ruleContext(
  node: BuiltNode,
  dY: readonly (Value | undefined)[],
  g: GraphBuilder,
  wanted: (value: Value) => boolean,
): RuleContext {
  return {
    node: { name: node.name, op: node.op, attr: new NodeAttributes(node) },
    x: node.inputs,
    y: node.outputs,
    dY,
    g,
    needs: (input) => {
      const value = node.inputs[input];
      return value !== undefined && wanted(value);
    },
  };
}
