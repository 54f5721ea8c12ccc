import { WorkbenchError } from '../base/errors.ts';
import type { Graph, GraphNode, ValueInfo } from './graph.ts';

/** Names that a node reads: its inputs and what its subgraphs take from outside. */
export function usesOf(node: GraphNode): readonly string[] {
  const uses = node.inputs.filter((name) => name !== '');
  for (const attribute of Object.values(node.attributes)) {
    if (attribute.type !== 'graph') continue;
    for (const name of capturedNames(attribute.value)) uses.push(name);
  }
  return uses;
}

/** Names that a subgraph reads and does not define. */
function capturedNames(graph: Graph): ReadonlySet<string> {
  const defined = new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);
  for (const node of graph.nodes) for (const output of node.outputs) defined.add(output);
  const used = new Set<string>(graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes) for (const name of usesOf(node)) used.add(name);
  return new Set([...used].filter((name) => !defined.has(name)));
}

/** The node that makes each value. */
export function producersOf(graph: Graph): ReadonlyMap<string, GraphNode> {
  return new Map(graph.nodes.flatMap((node) => node.outputs.filter((name) => name !== '').map((name) => [name, node])));
}

/** The nodes that read each value, in graph order. */
export function consumersOf(graph: Graph): ReadonlyMap<string, readonly GraphNode[]> {
  const consumers = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    for (const name of new Set(usesOf(node))) {
      const list = consumers.get(name);
      if (list === undefined) consumers.set(name, [node]);
      else list.push(node);
    }
  }
  return consumers;
}

/**
 * The nodes so that each comes after those it reads from; the given order is kept where it allows. Throws
 * MODEL_UNREADABLE when there is a cycle, or what `onCycle` throws of a node on it.
 */
export function sortNodes(
  nodes: readonly GraphNode[],
  onCycle: (node: GraphNode) => never = refuseCycle,
): readonly GraphNode[] {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const state = new Map<GraphNode, 'open' | 'done'>();
  const sorted: GraphNode[] = [];
  for (const root of nodes) {
    const stack = [root];
    for (let node = stack.at(-1); node !== undefined; node = stack.at(-1)) {
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const sources = usesOf(node).flatMap((name) => producers.get(name) ?? []);
      const waiting = sources.filter((source) => state.get(source) !== 'done');
      if (waiting.length === 0) {
        state.set(node, 'done');
        sorted.push(node);
        stack.pop();
        continue;
      }
      if (state.get(node) === 'open' || waiting.includes(node)) {
        onCycle(node);
      }
      state.set(node, 'open');
      for (const source of waiting.toReversed()) stack.push(source);
    }
  }
  return sorted;
}

function refuseCycle({ op, name }: GraphNode): never {
  throw new WorkbenchError('MODEL_UNREADABLE', `Expected a graph without cycles, got one through ${op} (${name})`, {
    hint: 'Export the model again.',
  });
}

/** The graph with the given outputs and without the nodes, initialisers and value types that they do not need. */
export function pruneGraph(graph: Graph, outputs: readonly ValueInfo[] = graph.outputs): Graph {
  const needed = new Set(outputs.map(({ name }) => name));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    nodes.push(node);
    for (const name of usesOf(node)) needed.add(name);
  }
  nodes.reverse();
  const kept = new Set([...needed, ...nodes.flatMap(({ outputs: names }) => names)]);
  return {
    ...graph,
    outputs,
    nodes,
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
    valueInfo: new Map([...graph.valueInfo].filter(([name]) => kept.has(name))),
  };
}
