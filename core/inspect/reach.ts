import type { Graph } from '../onnx/graph.ts';
import { usesOf } from '../onnx/topology.ts';

/** Operators whose result is known before running, whatever their input holds. */
export const readsShapeOnly: ReadonlySet<string> = new Set(['Shape', 'Size']);

/** Values that follow from those given, by what they hold and not only by their shape; the given ones among them. */
export function followers(graph: Graph, names: Iterable<string>): ReadonlySet<string> {
  const reached = new Set(names);
  for (const node of graph.nodes) {
    if (readsShapeOnly.has(node.op) || !usesOf(node).some((name) => reached.has(name))) continue;
    for (const name of node.outputs) if (name !== '') reached.add(name);
  }
  return reached;
}

/** Values that those given are made from; the given ones among them. */
export function sources(graph: Graph, names: Iterable<string>): ReadonlySet<string> {
  const reached = new Set(names);
  for (const node of graph.nodes.toReversed()) {
    if (readsShapeOnly.has(node.op) || !node.outputs.some((name) => reached.has(name))) continue;
    for (const name of usesOf(node)) reached.add(name);
  }
  return reached;
}
