import type { Graph, GraphNode } from '../onnx/graph.ts';
import type { InferInput } from '../onnx/infer.ts';
import type { FeatureLayer } from './inspection.ts';
import { followers, readsShapeOnly } from './reach.ts';

const weighted = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Einsum']);

/**
 * Values that everything from the image to the logits passes through: block outputs of a residual network, the token
 * stream of a transformer. Of those with the same number of weighted layers before them and the same rank, the last is
 * taken: after normalisation and activation. `types` are those for one batch size; `batch` is it.
 */
export function findFeatureLayers(
  graph: Graph,
  image: string,
  types: ReadonlyMap<string, InferInput>,
  batch: number,
): readonly FeatureLayer[] {
  const dependent = followers(graph, [image]);
  const left = consumerCounts(graph, dependent);
  const depths = new Map([[image, 0]]);
  const live = new Set([image]);
  const layers = new Map<string, FeatureLayer>();
  for (const node of graph.nodes) {
    if (readsShapeOnly.has(node.op)) continue;
    const inputs = new Set(node.inputs.filter((name) => dependent.has(name)));
    if (inputs.size === 0) continue;
    const depth = Math.max(...[...inputs].map((name) => depths.get(name) ?? 0)) + (isWeighted(node, dependent) ? 1 : 0);
    for (const name of inputs) {
      left.set(name, (left.get(name) ?? 1) - 1);
      if (left.get(name) === 0) live.delete(name);
    }
    for (const name of node.outputs) {
      if (name === '') continue;
      depths.set(name, depth);
      if ((left.get(name) ?? 0) > 0) live.add(name);
    }
    const [only] = live;
    const shape = types.get(only ?? '')?.shape;
    if (live.size !== 1 || only === undefined || depth === 0 || !node.outputs.includes(only) || !shape) continue;
    const key = `${depth}/${shape.length}`;
    const named = shape.map((size, axis) => (axis === 0 && size === batch ? 'N' : size));
    // Later ones replace, and stand after, earlier ones.
    layers.delete(key);
    layers.set(key, { name: only, node: node.name, op: node.op, shape: named, depth });
  }
  const logits = new Set(graph.outputs.map(({ name }) => name));
  return [...layers.values()].filter(({ name }) => !logits.has(name));
}

function isWeighted(node: GraphNode, dependent: ReadonlySet<string>): boolean {
  return weighted.has(node.op) && node.inputs.some((name) => name !== '' && !dependent.has(name));
}

function consumerCounts(graph: Graph, dependent: ReadonlySet<string>): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (name: string): void => void (dependent.has(name) && counts.set(name, (counts.get(name) ?? 0) + 1));
  for (const node of graph.nodes) if (!readsShapeOnly.has(node.op)) for (const name of new Set(node.inputs)) add(name);
  for (const { name } of graph.outputs) add(name);
  return counts;
}
