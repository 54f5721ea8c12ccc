import type { Graph, GraphNode } from '../graph.ts';
import { sizeOf } from '../../base/tensor.ts';

/** Ops whose values are some of their first input's. */
const moving = new Set([
  'Identity',
  'Reshape',
  'Flatten',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Slice',
  'MaxPool',
  'DepthToSpace',
  'SpaceToDepth',
  'Dropout',
]);

/**
 * The graph with real numbers where quantised ones are only moved: between a QuantizeLinear and such an op come a
 * DequantizeLinear and another QuantizeLinear, which give the same integers, and gradients pass. `fresh` makes names.
 */
export function moveAsReal(graph: Graph, fresh: (node: GraphNode, role: string) => string): Graph {
  /** Quantised values and their scale and zero point, one for the whole value. */
  const settings = new Map<string, readonly string[]>();
  const nodes = graph.nodes.flatMap((node): readonly GraphNode[] => {
    const [first = ''] = node.inputs;
    const [output = '', second = ''] = node.outputs;
    if (node.op === 'QuantizeLinear' && node.domain === '' && isSingle(graph, node.inputs[1] ?? '')) {
      settings.set(output, node.inputs.slice(1));
      return [node];
    }
    const given = settings.get(first);
    if (given === undefined || !moving.has(node.op) || node.domain !== '' || second !== '') return [node];
    settings.set(output, given);
    const [read, moved] = [fresh(node, 'real'), fresh(node, 'moved')];
    const around = { domain: '', attributes: {} };
    return [
      { ...around, name: read, op: 'DequantizeLinear', inputs: [first, ...given], outputs: [read] },
      { ...node, inputs: [read, ...node.inputs.slice(1)], outputs: [moved] },
      { ...around, name: `${moved}/quantised`, op: 'QuantizeLinear', inputs: [moved, ...given], outputs: [output] },
    ];
  });
  return settings.size === 0 ? graph : { ...graph, nodes };
}

const isSingle = (graph: Graph, name: string): boolean => sizeOf(graph.initializers.get(name)?.dims ?? []) === 1;
