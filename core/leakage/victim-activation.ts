import { WorkbenchError } from '../base/errors.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';

export const activations = ['sigmoid', 'tanh', 'softplus', 'relu'] as const;
export type Activation = (typeof activations)[number];

const opOf: Readonly<Record<Activation, string>> = {
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  softplus: 'Softplus',
  relu: 'Relu',
};

/** Operators that are one activation function of their first input and nothing else. */
const plain = new Set([
  'Relu',
  'LeakyRelu',
  'Elu',
  'Selu',
  'Celu',
  'ThresholdedRelu',
  'Gelu',
  'HardSwish',
  'Mish',
  'Tanh',
  'Softplus',
  'Softsign',
  'HardSigmoid',
]);

/**
 * The graph with every activation replaced by another one. x·sigmoid(x) and a clip to [0, 6] count as one activation; a
 * sigmoid that multiplies something else is a gate and stays. @throws MODEL_UNSUITABLE when there is nothing to replace.
 */
export function withActivation(graph: Graph, activation: Activation): Graph {
  const readers = new Map<string, GraphNode[]>();
  for (const node of graph.nodes) {
    for (const name of node.inputs) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  const replaced = new Map<GraphNode, string>();
  for (const node of graph.nodes) {
    const [x = ''] = node.inputs;
    if (node.domain !== '') continue;
    if (plain.has(node.op) || isRelu6(node, graph)) replaced.set(node, x);
    else if (node.op === 'Sigmoid') {
      const [only, ...others] = readers.get(node.outputs[0] ?? '') ?? [];
      if (only?.op !== 'Mul' || others.length > 0) replaced.set(node, x);
      else if (only.inputs.includes(x)) replaced.set(only, x);
    }
  }
  if (replaced.size === 0) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `${graph.name} has no activation that can be replaced by ${activation}`,
      {
        hint: 'Keep the activations of the file, or choose another model.',
      },
    );
  }
  const nodes = graph.nodes.map((node) => {
    const x = replaced.get(node);
    return x === undefined ? node : { ...node, op: opOf[activation], inputs: [x], attributes: {} };
  });
  return { ...graph, nodes };
}

function isRelu6({ op, inputs: [, low = '', high = ''] }: GraphNode, { initializers }: Graph): boolean {
  const bound = (name: string): number => Number(initializers.get(name)?.data[0]);
  return op === 'Clip' && bound(low) === 0 && bound(high) === 6;
}
