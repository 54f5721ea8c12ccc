import type { Graph, GraphNode } from '../graph.ts';
import { inferNode } from '../infer-graph.ts';
import { inferableOps } from '../infer-table.ts';
import type { InferInput } from '../infer.ts';

const inferable = new Set(inferableOps);

/**
 * The graph with the nodes of one branch in the place of each If whose condition is known for these input shapes.
 * TorchScript writes them where a Python program asked for a shape. An If whose condition is computed stays.
 */
export function takeBranches(graph: Graph, shapes: Readonly<Record<string, readonly number[]>>): Graph {
  if (!graph.nodes.some(({ op, domain }) => op === 'If' && domain === '')) return graph;
  const values = new Map<string, InferInput>();
  const initializers = new Map(graph.initializers);
  for (const [name, tensor] of initializers)
    values.set(name, { dtype: tensor.dtype, shape: tensor.dims, constant: tensor });
  for (const { name, dtype } of graph.inputs) {
    const shape = shapes[name];
    if (shape !== undefined) values.set(name, { dtype, shape, constant: undefined });
  }
  const nodes: GraphNode[] = [];
  const waiting = graph.nodes.toReversed();
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const branch = branchOf(node, values);
    if (branch === undefined) {
      nodes.push(node);
      learn(node, values);
      continue;
    }
    const inside = renamed(branch, node);
    for (const [name, tensor] of inside.initializers) {
      initializers.set(name, tensor);
      values.set(name, { dtype: tensor.dtype, shape: tensor.dims, constant: tensor });
    }
    waiting.push(...inside.nodes.toReversed());
  }
  return { ...graph, nodes, initializers };
}

function branchOf(node: GraphNode, values: ReadonlyMap<string, InferInput>): Graph | undefined {
  if (node.op !== 'If' || node.domain !== '') return undefined;
  const condition = values.get(node.inputs[0] ?? '')?.constant?.data[0];
  if (condition === undefined) return undefined;
  const attribute = node.attributes[Number(condition) !== 0 ? 'then_branch' : 'else_branch'];
  return attribute?.type === 'graph' ? attribute.value : undefined;
}

/** Types and contents of the outputs, where they can be known. */
function learn(node: GraphNode, values: Map<string, InferInput>): void {
  if (node.domain !== '' || !inferable.has(node.op)) return;
  if (node.inputs.some((name) => name !== '' && !values.has(name))) return;
  inferNode(node, values);
}

/** The branch under names of its own; its outputs get those of the If. */
function renamed(branch: Graph, node: GraphNode): Pick<Graph, 'nodes' | 'initializers'> {
  const own = new Set([...branch.initializers.keys(), ...branch.nodes.flatMap(({ outputs }) => outputs)]);
  const nameOf = (name: string): string => (own.has(name) ? `${node.name}/${name}` : name);
  const inside = (graph: Graph): Graph => ({
    ...graph,
    outputs: graph.outputs.map((output) => ({ ...output, name: nameOf(output.name) })),
    nodes: graph.nodes.map(rename),
  });
  const rename = (inner: GraphNode): GraphNode => ({
    ...inner,
    name: `${node.name}/${inner.name}`,
    inputs: inner.inputs.map(nameOf),
    outputs: inner.outputs.map(nameOf),
    attributes: Object.fromEntries(
      Object.entries(inner.attributes).map(([key, attribute]) => [
        key,
        attribute.type === 'graph' ? { type: 'graph', value: inside(attribute.value) } : attribute,
      ]),
    ),
  });
  const handed = branch.outputs.flatMap(({ name }, i): GraphNode[] => {
    const output = node.outputs[i] ?? '';
    const identity = { name: `${node.name}/${output}`, domain: '', op: 'Identity', attributes: {} };
    return output === '' ? [] : [{ ...identity, inputs: [nameOf(name)], outputs: [output] }];
  });
  return {
    nodes: [...branch.nodes.map(rename), ...handed],
    initializers: new Map([...branch.initializers].map(([name, tensor]) => [nameOf(name), tensor])),
  };
}
