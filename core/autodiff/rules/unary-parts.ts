import type { GraphBuilder } from '../builder.ts';
import type { NodeAttributes, Value } from '../emitter.ts';
import { differentiable, type RuleEntry } from '../rule.ts';

interface Unary {
  readonly x: Value;
  readonly y: Value;
  /** Cotangent of y. */
  readonly dY: Value;
  readonly g: GraphBuilder;
  readonly attr: NodeAttributes;
}

/** Rule of an elementwise function of one input. */
export function unary(op: string, gradient: (parts: Unary) => Value): RuleEntry {
  return differentiable(op, ({ node, x: [x], y: [y], dY: [dY], g }) =>
    x && y && dY ? [gradient({ x, y, dY, g, attr: node.attr })] : [],
  );
}

/** 1 where x > threshold, else 0. Cast and Mul are twice as fast in onnxruntime as Where or Sign. */
export function above(g: GraphBuilder, x: Value, threshold = 0): Value {
  return g.cast(g.greater(x, threshold), x.dtype);
}

/** 1 where low < x < high, else 0. */
export function between(g: GraphBuilder, x: Value, low: number, high: number): Value {
  return g.cast(g.and(g.greater(x, low), g.less(x, high)), x.dtype);
}
