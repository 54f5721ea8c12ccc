import { float32, sizeOf, type Tensor } from '../../base/tensor.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { usesOf } from '../topology.ts';
import { intOf } from './lift.ts';

/**
 * The graph with real numbers in place of weights that are stored as integers: a DequantizeLinear of initialisers becomes
 * an initialiser under the name of its output, which so is a parameter. The same graph where there is none.
 */
export function dequantiseStored(graph: Graph): Graph {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const made = new Map<string, Tensor>();
  const kept: GraphNode[] = [];
  for (const node of graph.nodes) {
    const [name = ''] = node.outputs;
    const value = outputs.has(name) ? undefined : storedValue(node, graph.initializers);
    if (value === undefined) kept.push(node);
    else made.set(name, value);
  }
  if (made.size === 0) return graph;
  const used = new Set([...kept.flatMap(usesOf), ...outputs]);
  const left = [...graph.initializers].filter(([name]) => used.has(name));
  return { ...graph, nodes: kept, initializers: new Map([...left, ...made]) };
}

/** (X − zero) · scale, for one scale or one for each index of an axis. */
function storedValue(node: GraphNode, initializers: Graph['initializers']): Tensor | undefined {
  if (node.op !== 'DequantizeLinear' || node.domain !== '' || intOf(node, 'block_size', 0) !== 0) return undefined;
  const [X, scale] = node.inputs.slice(0, 2).map((name) => initializers.get(name));
  const zeroName = node.inputs[2] ?? '';
  const zero = initializers.get(zeroName);
  if (X === undefined || !(scale?.data instanceof Float32Array) || (zeroName !== '' && zero === undefined))
    return undefined;
  const { data } = X;
  const zeros = zero?.data;
  if (isWide(data) || (zeros !== undefined && isWide(zeros))) return undefined;
  const given = intOf(node, 'axis', 1);
  const axis = given < 0 ? given + X.dims.length : given;
  const [count, run] = scale.data.length === 1 ? [1, 1] : [X.dims[axis] ?? 0, sizeOf(X.dims.slice(axis + 1))];
  if (count !== scale.data.length || (zeros !== undefined && zeros.length !== count)) return undefined;
  const values = new Float32Array(data.length);
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / run) % count;
    values[i] = (data[i]! - (zeros?.[at] ?? 0)) * scale.data[at]!;
  }
  return float32(X.dims, values);
}

const isWide = (data: Tensor['data']): data is BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer> =>
  data instanceof BigInt64Array || data instanceof BigUint64Array;
