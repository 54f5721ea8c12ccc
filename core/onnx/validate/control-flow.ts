import type { Graph, GraphNode } from '../graph.ts';
import { refusal, shown, type Source } from '../read/problem.ts';
import type { Limits } from './limits.ts';
import type { RuleId } from './rules.ts';

/** Refuses branches and loops whose cost cannot be told from the file. */
export function checkControlFlow(graph: Graph, source: Source, limits: Limits): void {
  const refuse = (rule: RuleId, { op, name }: GraphNode, message: string): never => {
    throw refusal(rule, source, `expected ${message} at ${shown(op)} (${shown(name)})`);
  };

  const inside = (node: GraphNode, attribute: string): Graph => {
    const held = node.attributes[attribute];
    return held?.type === 'graph' ? held.value : refuse('ONNX_E_SUBGRAPH', node, `a graph in attribute ${attribute}`);
  };

  /** How often the body runs; only a number that the file itself holds is believed. */
  const tripsOf = (node: GraphNode, scope: Scope): number => {
    const trips = constantOf(node.inputs[0] ?? '', scope);
    if (trips !== undefined && trips >= 0) return trips;
    return refuse('ONNX_E_LOOP', node, 'a number of iterations that the file holds');
  };

  const visit = (each: Graph, outer: Scope | undefined, around: number): void => {
    const scope = { graph: each, outer };
    for (const node of each.nodes) {
      if (node.domain !== '') continue;
      if (node.op === 'If') {
        for (const branch of ['then_branch', 'else_branch']) visit(inside(node, branch), scope, around);
      } else if (node.op === 'Loop') {
        const trips = around * Math.max(1, tripsOf(node, scope));
        if (trips > limits.loopTrips) {
          refuse('ONNX_E_LOOP', node, `at most ${limits.loopTrips} iterations in all, got ${trips}`);
        }
        visit(inside(node, 'body'), scope, trips);
      } else if (node.op === 'Scan') {
        const count = node.attributes['num_scan_inputs'];
        const isSound = count?.type === 'int' && count.value >= 1 && count.value <= node.inputs.length;
        if (!isSound) refuse('ONNX_E_LOOP', node, 'at least one input to scan');
        visit(inside(node, 'body'), scope, around);
      }
    }
  };
  visit(graph, undefined, 1);
}

interface Scope {
  readonly graph: Graph;
  readonly outer: Scope | undefined;
}

function constantOf(name: string, from: Scope): number | undefined {
  for (let scope: Scope | undefined = from; scope !== undefined; scope = scope.outer) {
    const tensor = scope.graph.initializers.get(name);
    if (tensor !== undefined) return tensor.data.length === 1 ? Number(tensor.data[0]) : undefined;
    // A value of an inner graph hides one of the same name further out.
    if (scope.graph.inputs.some((input) => input.name === name)) return undefined;
    if (scope.graph.nodes.some((node) => node.outputs.includes(name))) return undefined;
  }
  return undefined;
}
