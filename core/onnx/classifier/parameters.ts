import { dtypeOfCode, isFloatDtype } from '../element-types.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { floatOf, intOf } from '../normalise/lift.ts';
import { producersOf, usesOf } from '../topology.ts';
import type { BatchNormLayer, Parameter } from './description.ts';

/** Inputs that hold settings or statistics, by op. */
const settings: Readonly<Record<string, readonly number[]>> = {
  BatchNormalization: [3, 4],
  Clip: [1, 2],
  Resize: [1, 2, 3],
  Pad: [2],
  Pow: [1],
  Dropout: [1],
  QuantizeLinear: [1],
  DequantizeLinear: [1],
  Range: [0, 1, 2],
  OneHot: [2],
  Where: [1, 2],
};

/** A single number that one of these reads is no weight. */
const readingNumbers = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Min',
  'Max',
  'Mean',
  'Sum',
  'Equal',
  'Greater',
  'Less',
  'Mod',
  'CastLike',
  'Expand',
]);
/** Steps that an exporter puts before the first layer: scaling of pixels, order of axes. */
const preparation = new Set(['Sub', 'Div', 'Mul', 'Add', 'Transpose', 'Cast', 'Identity', 'Clip']);

/** Nodes that only prepare the image: elementwise with constants, from the input on. */
function preparingNodes(graph: Graph, image: string): ReadonlySet<GraphNode> {
  const prepared = new Set([image]);
  const nodes = new Set<GraphNode>();
  for (const node of graph.nodes) {
    const isOne =
      preparation.has(node.op) &&
      node.inputs.some((name) => prepared.has(name)) &&
      node.inputs.every((name) => name === '' || prepared.has(name) || graph.initializers.has(name));
    if (!isOne) continue;
    nodes.add(node);
    for (const name of node.outputs) prepared.add(name);
  }
  return nodes;
}

/** Whether the outcome is whole numbers or truth values: no derivative comes back through it. */
function isCounting(node: GraphNode): boolean {
  if (/^(Shape|Size|Equal|Greater|GreaterOrEqual|Less|LessOrEqual|IsNaN|IsInf|ArgMax|ArgMin|NonZero)$/.test(node.op))
    return true;
  const to = dtypeOfCode(intOf(node, 'to', 1));
  return node.op === 'Cast' && (to === undefined || !isFloatDtype(to));
}

/** Nodes through which a derivative may come back from the outputs: not those that compute shapes. */
function derivedNodes(graph: Graph): ReadonlySet<GraphNode> {
  const producers = producersOf(graph);
  const found = new Set<GraphNode>();
  const waiting = graph.outputs.map(({ name }) => name);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const node = producers.get(name);
    if (node === undefined || found.has(node) || isCounting(node)) continue;
    found.add(node);
    const isSetting = (input: string): boolean =>
      node.op !== 'Where' && settings[node.op]?.includes(node.inputs.indexOf(input)) === true;
    waiting.push(...usesOf(node).filter((input) => !isSetting(input)));
  }
  return found;
}

/** The float32 initialisers that training changes: weights and biases, not statistics, bounds or pixel scaling. */
export function findParameters(graph: Graph, image: string): readonly Parameter[] {
  const preparing = preparingNodes(graph, image);
  const derived = derivedNodes(graph);
  const names = new Set<string>();
  for (const node of graph.nodes) {
    if (preparing.has(node) || !derived.has(node)) continue;
    node.inputs.forEach((name, index) => {
      const tensor = graph.initializers.get(name);
      const isSetting =
        settings[node.op]?.includes(index) === true || (readingNumbers.has(node.op) && tensor?.data.length === 1);
      if (tensor?.dtype === 'float32' && tensor.data.length > 0 && !isSetting) names.add(name);
    });
  }
  return [...graph.initializers]
    .filter(([name]) => names.has(name))
    .map(([name, { dims, dtype }]) => ({ name, dims, dtype }));
}

const usesBatch = (node: GraphNode): boolean => intOf(node, 'training_mode', 0) !== 0;

/** Whether the file was exported in training mode: its logits then hang on the other images of the batch. */
export const usesBatchStatistics = (graph: Graph): boolean => graph.nodes.some(usesBatch);

/** Batch normalisations whose running statistics stand in the file. */
export function findBatchNorms(graph: Graph): readonly BatchNormLayer[] {
  return graph.nodes.flatMap((node) => {
    if (node.op !== 'BatchNormalization' || usesBatch(node)) return [];
    const [inputName = '', , , meanName = '', varianceName = ''] = node.inputs;
    const mean = graph.initializers.get(meanName)?.data;
    const variance = graph.initializers.get(varianceName)?.data;
    if (!(mean instanceof Float32Array) || !(variance instanceof Float32Array)) return [];
    return [
      { node: node.name, inputName, mean, variance, meanName, varianceName, epsilon: floatOf(node, 'epsilon', 1e-5) },
    ];
  });
}
