import { int64, type Tensor } from '../../base/tensor.ts';
import type { Graph, GraphNode } from '../graph.ts';
import type { InferInput } from '../infer.ts';
import { intOf } from '../normalise/lift.ts';

/**
 * Exporters that were not told of a free batch write its size into Reshape targets. Where the reshaped value begins with
 * the batch, 0 ("as the input") says the same for every size. `types` hold for the fixed batch.
 */
export function freeBatch(graph: Graph, types: ReadonlyMap<string, InferInput>, batch: number): Graph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.map((node) => {
    const target = batchedTarget(node, initializers, types, batch);
    if (target === undefined) return node;
    const name = `${node.inputs[1] ?? ''}/any_batch`;
    initializers.set(name, target);
    return { ...node, inputs: [node.inputs[0] ?? '', name], attributes: {} };
  });
  return { ...graph, nodes, initializers };
}

function batchedTarget(
  node: GraphNode,
  initializers: ReadonlyMap<string, Tensor>,
  types: ReadonlyMap<string, InferInput>,
  batch: number,
): Tensor | undefined {
  const [X = '', shape = ''] = node.inputs;
  const target = initializers.get(shape);
  if (node.op !== 'Reshape' || target === undefined || types.get(X)?.shape[0] !== batch) return undefined;
  const wanted = Array.from<number | bigint, number>(target.data, Number);
  const hasLiteralZero = intOf(node, 'allowzero', 0) !== 0 && wanted.includes(0);
  if (wanted[0] !== batch || hasLiteralZero) return undefined;
  return int64(target.dims, [0, ...wanted.slice(1)]);
}
