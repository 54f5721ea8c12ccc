import { WorkbenchError } from '../base/errors.ts';
import type { Tensor } from '../base/tensor.ts';
import type { Graph, GraphNode, OnnxModel } from '../onnx/graph.ts';

/** A trainable initialiser of a graph. */
export interface Parameter {
  readonly name: string;
  readonly dims: readonly number[];
  readonly initial: Tensor;
}

/** Input positions that hold weights, by operator; running statistics (BatchNormalization 3 and 4) are not among them. */
const weightInputs: Readonly<Record<string, readonly number[]>> = {
  Conv: [1, 2],
  ConvTranspose: [1, 2],
  Gemm: [0, 1, 2],
  MatMul: [0, 1],
  BatchNormalization: [1, 2],
  InstanceNormalization: [1, 2],
  GroupNormalization: [1, 2],
  LayerNormalization: [1, 2],
  PRelu: [1],
};

/** Operators that hand an initialiser on to its real consumer (exporters transpose or reshape weights in the graph). */
const rearranging = new Set(['Identity', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/**
 * The trainable initialisers of a house-opset graph, in the order of first use: float32 weights, biases and scales of
 * the operators above, and per-channel scales and biases that some exporters write as Mul and Add behind a weighted
 * layer. A constant in front of the first weighted layer (input normalisation) stays fixed, as do running statistics
 * and numbers of one element inside formulas.
 */
export function trainableParameters(graph: Graph): readonly Parameter[] {
  const origin = new Map<string, string>();
  for (const [name, tensor] of graph.initializers) if (tensor.dtype === 'float32') origin.set(name, name);
  const found = new Set<string>();
  const fixed = new Set(runningStatistics(graph).flatMap(({ mean, variance }) => [mean, variance]));
  const weighted = new Set<string>();
  for (const node of graph.nodes) {
    const source = origin.get(node.inputs[0] ?? '');
    const output = node.outputs[0];
    if (node.domain === '' && rearranging.has(node.op) && source !== undefined && output !== undefined) {
      origin.set(output, source);
      continue;
    }
    const parameters = parametersOf(node, origin, weighted, graph);
    for (const name of parameters) found.add(name);
    const behind = parameters.length > 0 || node.inputs.some((name) => weighted.has(name));
    if (behind) for (const name of node.outputs) weighted.add(name);
  }
  return [...found].flatMap((name) => {
    const initial = graph.initializers.get(name);
    return initial && !fixed.has(name) && initial.data.length > 0 ? [{ name, dims: initial.dims, initial }] : [];
  });
}

function parametersOf(
  node: GraphNode,
  origin: ReadonlyMap<string, string>,
  weighted: ReadonlySet<string>,
  graph: Graph,
): readonly string[] {
  if (node.domain !== '') return [];
  const positions = weightInputs[node.op];
  if (positions) {
    // A product of two activations has no weight; a constant times a constant is folded on import.
    return positions.flatMap((position) => origin.get(node.inputs[position] ?? '') ?? []);
  }
  if (node.op !== 'Add' && node.op !== 'Mul') return [];
  if (!node.inputs.some((name) => weighted.has(name))) return [];
  return node.inputs.flatMap((name) => {
    const source = origin.get(name);
    return source !== undefined && (graph.initializers.get(source)?.data.length ?? 0) > 1 ? [source] : [];
  });
}

/** The running statistics of one batch normalisation. */
export interface RunningStatistics {
  readonly mean: string;
  readonly variance: string;
}

/** Initialisers that hold running statistics of batch normalisations. */
export function runningStatistics(graph: Graph): readonly RunningStatistics[] {
  return graph.nodes
    .filter((node) => node.op === 'BatchNormalization' && node.domain === '')
    .flatMap(({ inputs: [, , , mean, variance] }) =>
      mean !== undefined && variance !== undefined && graph.initializers.has(mean) && graph.initializers.has(variance)
        ? [{ mean, variance }]
        : [],
    );
}

/** Number of trainable scalars. */
export const parameterCount = (graph: Graph): number =>
  trainableParameters(graph).reduce((total, { initial }) => total + initial.data.length, 0);

/** The model with the given initialisers replaced; everything else, the symbolic batch too, stays. */
export function withParameters(model: OnnxModel, tensors: Readonly<Record<string, Tensor>>): OnnxModel {
  const initializers = new Map(model.graph.initializers);
  for (const [name, tensor] of Object.entries(tensors)) {
    const old = initializers.get(name);
    if (old?.dtype !== tensor.dtype || old.dims.join() !== tensor.dims.join()) {
      throw new WorkbenchError(
        'SHAPE_MISMATCH',
        `Model ${model.graph.name}: expected initialiser "${name}" ${old ? `to be ${old.dtype}[${old.dims.join(', ')}]` : 'to exist'}, got ${tensor.dtype}[${tensor.dims.join(', ')}]`,
      );
    }
    initializers.set(name, tensor);
  }
  return { ...model, graph: { ...model.graph, initializers } };
}

/** The model as it is given away: dropout, which does nothing at inference, is taken out. */
export function forDelivery(model: OnnxModel): OnnxModel {
  const { graph } = model;
  const renamed = new Map<string, string>();
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const resolve = (name: string): string => renamed.get(name) ?? name;
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    const [output, mask] = node.outputs;
    const plain = node.op === 'Dropout' && node.domain === '' && (mask === undefined || mask === '');
    if (plain && output !== undefined && !outputs.has(output)) renamed.set(output, resolve(node.inputs[0] ?? ''));
    else nodes.push({ ...node, inputs: node.inputs.map(resolve) });
  }
  const used = new Set(nodes.flatMap((node) => node.inputs));
  const initializers = new Map([...graph.initializers].filter(([name]) => used.has(name) || outputs.has(name)));
  return { ...model, graph: { ...graph, nodes, initializers } };
}
