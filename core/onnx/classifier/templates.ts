import { sizeOf, type Tensor } from '../../base/tensor.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { floatOf, intOf } from '../normalise/lift.ts';
import { producersOf } from '../topology.ts';
import type { ClassTemplates } from './description.ts';

/** Ops that only move the class scores, or average them over places, on the way from a linear layer to the logits. */
const passed = new Set([
  'Identity',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Dropout',
  'GlobalAveragePool',
  'AveragePool',
  'ReduceMean',
  'Relu',
  'Cast',
  'QuantizeLinear',
  'DequantizeLinear',
]);

/** A weight matrix as it is stored: rows and columns, and which of them are the classes. */
interface Matrix {
  readonly name: string;
  readonly tensor: Tensor;
  readonly classesFirst: boolean;
}

/** What stands between the layer and the logits: logits = scale · layer + bias. */
interface Path {
  readonly classCount: number;
  scale: number;
  /** Added to every class. */
  shift: number;
  /** Added to each; there is none before a tensor of so many numbers was met, for the count may be a lie. */
  bias: Float64Array<ArrayBuffer> | undefined;
  hasBias: boolean;
}

/** Walks from the logits back to the last linear layer. undefined when there is none. */
export function findTemplates(graph: Graph, logits: string, classCount: number): ClassTemplates | undefined {
  const producers = producersOf(graph);
  const path: Path = { classCount, scale: 1, shift: 0, bias: undefined, hasBias: false };
  for (let node = producers.get(logits); node !== undefined;) {
    const matrix = matrixOf(graph, producers, node);
    if (matrix !== undefined) return templatesOf(graph, node, matrix, path);
    const next = stepBack(graph, node, path);
    node = next === undefined ? undefined : producers.get(next);
  }
  return undefined;
}

/** The input of an op that may follow the last layer; its effect goes into `path`. */
function stepBack(graph: Graph, node: GraphNode, path: Path): string | undefined {
  if (passed.has(node.op)) return node.inputs[0];
  const constantIndex = node.inputs.findIndex((name) => graph.initializers.has(name));
  const constant = graph.initializers.get(node.inputs[constantIndex] ?? '');
  const other = node.inputs[1 - constantIndex];
  if (!(constant?.data instanceof Float32Array)) return undefined;
  const values = constant.data;
  if (node.op === 'Add') return addBias(path, values, 1) ? other : undefined;
  if (node.op === 'Sub' && constantIndex === 1) return addBias(path, values, -1) ? other : undefined;
  const factor = values.length === 1 ? (values[0] ?? 1) : undefined;
  if (factor === undefined) return undefined;
  if (node.op === 'Mul') path.scale *= factor;
  else if (node.op === 'Div' && constantIndex === 1) path.scale /= factor;
  else return undefined;
  return other;
}

/** Adds one value for each class, or one for all; false when there is another number of them. */
function addBias(path: Path, values: Float32Array, factor: number): boolean {
  const { classCount, scale } = path;
  if (values.length === 1) path.shift += scale * factor * values[0]!;
  else if (values.length !== classCount) return false;
  else {
    const bias = (path.bias ??= new Float64Array(classCount));
    for (let i = 0; i < classCount; i++) bias[i]! += scale * factor * values[i]!;
  }
  path.hasBias = true;
  return true;
}

/** The constant matrix behind a name, seen through Transpose and Identity. */
function matrixNamed(
  graph: Graph,
  producers: ReadonlyMap<string, GraphNode>,
  name: string,
  classesFirst: boolean,
): Matrix | undefined {
  const tensor = graph.initializers.get(name);
  if (tensor !== undefined) return tensor.dims.length >= 2 ? { name, tensor, classesFirst } : undefined;
  const node = producers.get(name);
  if (node?.op === 'Transpose') return matrixNamed(graph, producers, node.inputs[0] ?? '', !classesFirst);
  if (node?.op === 'Identity') return matrixNamed(graph, producers, node.inputs[0] ?? '', classesFirst);
  return undefined;
}

function matrixOf(graph: Graph, producers: ReadonlyMap<string, GraphNode>, node: GraphNode): Matrix | undefined {
  const [, weight = ''] = node.inputs;
  if (node.op === 'Gemm' && intOf(node, 'transA', 0) === 0) {
    return matrixNamed(graph, producers, weight, intOf(node, 'transB', 0) !== 0);
  }
  if (node.op === 'MatMul') return matrixNamed(graph, producers, weight, false);
  if (node.op !== 'Conv' || intOf(node, 'group', 1) !== 1) return undefined;
  const matrix = matrixNamed(graph, producers, weight, true);
  const isPointwise = matrix !== undefined && matrix.tensor.dims.slice(2).every((dim) => dim === 1);
  return isPointwise ? matrix : undefined;
}

function templatesOf(graph: Graph, node: GraphNode, matrix: Matrix, path: Path): ClassTemplates | undefined {
  const { classCount } = path;
  const { data, dims } = matrix.tensor;
  const featureCount = sizeOf(dims) / classCount;
  const isFitting =
    dims[matrix.classesFirst ? 0 : 1] === classCount && dims.length === (node.op === 'Conv' ? dims.length : 2);
  if (!(data instanceof Float32Array) || !isFitting) return undefined;
  const bias = graph.initializers.get(node.inputs[2] ?? '')?.data;
  if (bias instanceof Float32Array && !addBias(path, bias, node.op === 'Gemm' ? floatOf(node, 'beta', 1) : 1))
    return undefined;
  const factor = path.scale * (node.op === 'Gemm' ? floatOf(node, 'alpha', 1) : 1);
  const weight = new Float32Array(classCount * featureCount);
  for (let k = 0; k < classCount; k++) {
    for (let f = 0; f < featureCount; f++) {
      weight[k * featureCount + f] = factor * data[matrix.classesFirst ? k * featureCount + f : f * classCount + k]!;
    }
  }
  return {
    weight,
    featureCount,
    bias: path.hasBias
      ? Float32Array.from({ length: classCount }, (_, k) => (path.bias?.[k] ?? 0) + path.shift)
      : undefined,
    valueName: matrix.name,
    featureName: node.inputs[0] ?? '',
    op: node.op === 'Conv' ? 'Conv' : node.op === 'Gemm' ? 'Gemm' : 'MatMul',
  };
}
