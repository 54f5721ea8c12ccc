import type { Tensor } from '../../base/tensor.ts';
import { codeOfDtype } from '../element-types.ts';
import type { Attribute, Graph, GraphNode, ValueInfo } from '../graph.ts';

const half = codeOfDtype('float16');
const single = codeOfDtype('float32');

/** Attributes that name an element type. */
const typeAttributes = new Set(['to', 'dtype', 'output_dtype', 'softmax_precision']);

/**
 * The graph with float32 wherever it has float16: weights keep their rounded values, everything is computed more exactly
 * than the file says. Kernels of the CPU compute so too, but round after each operator; such rounding has no derivative,
 * and gradients in half precision vanish. A weight that is only stored in half loses its Cast, so that the initialiser
 * is the parameter. The same graph when it has no float16.
 */
export function widenHalf(graph: Graph): Graph {
  return usesHalf(graph) ? widen(graph) : graph;
}

/** Whether weights, inputs, outputs or casts are float16, in the graphs inside nodes too. */
export const usesHalf = (graph: Graph): boolean =>
  [...graph.initializers.values(), ...graph.inputs, ...graph.outputs].some(({ dtype }) => dtype === 'float16') ||
  graph.nodes.some(({ attributes }) => Object.entries(attributes).some(([name, value]) => isHalf(name, value)));

function isHalf(name: string, attribute: Attribute): boolean {
  if (attribute.type === 'int') return attribute.value === half && typeAttributes.has(name);
  if (attribute.type === 'tensor') return attribute.value.dtype === 'float16';
  return attribute.type === 'graph' && usesHalf(attribute.value);
}

function widen(graph: Graph): Graph {
  const stored = new Set([...graph.initializers].flatMap(([name, { dtype }]) => (dtype === 'float16' ? [name] : [])));
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const isStoredHalf = (node: GraphNode): boolean =>
    node.op === 'Cast' &&
    node.domain === '' &&
    stored.has(node.inputs[0] ?? '') &&
    !outputs.has(node.outputs[0] ?? '') &&
    node.attributes['to']?.value === single;
  const casts = graph.nodes.filter(isStoredHalf);
  const renamed = new Map(casts.map(({ inputs, outputs: [name = ''] }) => [name, inputs[0] ?? '']));
  const nodes = graph.nodes.flatMap((node) => (isStoredHalf(node) ? [] : [rename(widenNode(node), renamed)]));
  return {
    ...graph,
    nodes,
    inputs: graph.inputs.map(widenInfo),
    outputs: graph.outputs.map(widenInfo),
    initializers: new Map([...graph.initializers].map(([name, value]) => [name, widenTensor(value)])),
    valueInfo: new Map([...graph.valueInfo].map(([name, info]) => [name, widenInfo(info)])),
  };
}

const widenInfo = (info: ValueInfo): ValueInfo => (info.dtype === 'float16' ? { ...info, dtype: 'float32' } : info);

function widenNode(node: GraphNode): GraphNode {
  const entries = Object.entries(node.attributes);
  if (!entries.some(([name, value]) => isHalf(name, value))) return node;
  return { ...node, attributes: Object.fromEntries(entries.map(([name, value]) => [name, widened(name, value)])) };
}

function widened(name: string, attribute: Attribute): Attribute {
  if (!isHalf(name, attribute)) return attribute;
  if (attribute.type === 'tensor') return { type: 'tensor', value: widenTensor(attribute.value) };
  if (attribute.type === 'graph') return { type: 'graph', value: widen(attribute.value) };
  return { type: 'int', value: single };
}

/** Reads initialisers instead of what they were cast to, in the graphs inside the node too. */
function rename(node: GraphNode, names: ReadonlyMap<string, string>): GraphNode {
  if (names.size === 0) return node;
  const inner = (attribute: Attribute): Attribute =>
    attribute.type === 'graph'
      ? { type: 'graph', value: { ...attribute.value, nodes: attribute.value.nodes.map((n) => rename(n, names)) } }
      : attribute;
  return {
    ...node,
    inputs: node.inputs.map((name) => names.get(name) ?? name),
    attributes: Object.fromEntries(Object.entries(node.attributes).map(([name, value]) => [name, inner(value)])),
  };
}

let table: Float32Array<ArrayBuffer> | undefined;

/** IEEE 754 binary16: one bit of sign, five of exponent, ten of fraction. */
function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A tensor of halves as one of single precision; others as they are. */
export function widenTensor(tensor: Tensor): Tensor {
  if (tensor.dtype !== 'float16') return tensor;
  table ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => halfToFloat(bits));
  const data = new Float32Array(tensor.data.length);
  for (let i = 0; i < data.length; i++) data[i] = table[Number(tensor.data[i])]!;
  return { dtype: 'float32', dims: tensor.dims, data };
}
