import { WorkbenchError } from '../base/errors.ts';
import { sameShape, type GraphBuilder } from './builder.ts';
import type { BuiltNode, Value } from './emitter.ts';
import { ruleContext } from './rule.ts';
import { findRule } from './rules/index.ts';

export interface Cotangent {
  readonly value: Value;
  /** Same shape as `value`; ones when absent (so a scalar loss needs none). */
  readonly cotangent?: Value;
}

/**
 * Reverse-mode derivatives, appended to the same builder: Σ_i ⟨cotangent_i, ∂of_i/∂w⟩ for every w of `withRespectTo`.
 * undefined where no path leads to w. The result is made of operators that have rules themselves, so `gradients` may
 * be called on it again. All operators without a rule on the way are reported at once (OP_NO_GRADIENT).
 */
export function gradients(
  g: GraphBuilder,
  of: Value | readonly Cotangent[],
  withRespectTo: readonly Value[],
): (Value | undefined)[] {
  const given: readonly Cotangent[] = isValue(of) ? [{ value: of }] : of;
  const targets = given.map((target) => ({ ...target, value: g.plainOf(target.value) }));
  const sources = withRespectTo.map((value) => g.plainOf(value));
  const path = nodesBetween(
    g,
    targets.map((t) => t.value),
    sources,
  );
  refuseMissingRules(path.nodes);
  const grads = new Map<Value, Value[]>();
  const accumulate = (value: Value, grad: Value): void => {
    const terms = grads.get(value);
    if (terms) terms.push(grad);
    else grads.set(value, [grad]);
  };
  const take = (value: Value): Value | undefined => {
    const terms = grads.get(value);
    if (!terms) return undefined;
    const total = g.sumOf(terms);
    grads.set(value, [total]);
    return total;
  };
  for (const { value, cotangent } of targets) {
    if (path.wanted(value)) accumulate(value, cotangent ?? g.full(value.shape, 1, value.dtype));
  }
  for (const node of path.nodes) {
    const dY = node.outputs.map(take);
    if (dY.every((value) => value === undefined)) continue;
    const entry = findRule(node.op, node.domain);
    if (entry === undefined || entry.kind === 'zero') continue;
    const context = ruleContext(node, dY, g, path.wanted);
    entry.rule(context).forEach((grad, i) => {
      const value = node.inputs[i];
      if (!grad || !value || !context.needs(i)) return;
      if (!sameShape(grad.shape, value.shape)) {
        throw new WorkbenchError(
          'INTERNAL',
          `Rule of ${node.op} (${node.name}): gradient of input ${i} has shape [${grad.shape.join(', ')}], expected [${value.shape.join(', ')}]`,
        );
      }
      accumulate(g.plainOf(value), grad);
    });
  }
  return sources.map(take);
}

function isValue(of: Value | readonly Cotangent[]): of is Value {
  return 'dtype' in of;
}

interface Path {
  /** Nodes on a way from a wanted value to a target, last first. */
  readonly nodes: readonly BuiltNode[];
  wanted(value: Value): boolean;
}

function nodesBetween(g: GraphBuilder, targets: readonly Value[], sources: readonly Value[]): Path {
  const ancestors = new Set<BuiltNode>();
  const stack = targets.flatMap((value) => value.producer ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (ancestors.has(node)) continue;
    ancestors.add(node);
    for (const value of node.inputs) {
      const producer = value && g.plainOf(value).producer;
      if (producer) stack.push(producer);
    }
  }
  const wanted = new Set<Value>(sources);
  const order = [...ancestors].sort((a, b) => firstId(a) - firstId(b));
  const nodes: BuiltNode[] = [];
  for (const node of order) {
    if (!node.inputs.some((value) => value && wanted.has(g.plainOf(value)))) continue;
    const kind = findRule(node.op, node.domain)?.kind;
    // Derivatives exist for floating-point values only: an integer or boolean output ends the path, but for quantised
    // values, whose rounding is looked through.
    const outputs = node.outputs.filter(
      (value) => value.dtype.startsWith('float') || (kind === 'straight-through' && value.dtype !== 'bool'),
    );
    if (outputs.length === 0 || kind === 'zero') continue;
    for (const value of outputs) wanted.add(value);
    nodes.push(node);
  }
  return { nodes: nodes.reverse(), wanted: (value) => wanted.has(g.plainOf(value)) };
}

const firstId = (node: BuiltNode): number => node.outputs[0]?.id ?? 0;

function refuseMissingRules(nodes: readonly BuiltNode[]): void {
  const missing = nodes.filter((node) => findRule(node.op, node.domain) === undefined);
  if (missing.length === 0) return;
  const list = missing.map((node) => `${node.op} (${node.name})`).join(', ');
  throw new WorkbenchError(
    'OP_NO_GRADIENT',
    `${missing.length} operator${missing.length > 1 ? 's' : ''} on the path have no gradient rule: ${list}`,
    {
      hint: 'Choose an output before these operators, or see docs/ops.md for the operators that can be differentiated.',
      details: { operators: [...new Set(missing.map((node) => node.op))] },
    },
  );
}
