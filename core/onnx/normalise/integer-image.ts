import { dtypeOfCode } from '../element-types.ts';
import type { Graph, GraphNode, ValueInfo } from '../graph.ts';
import { consumersOf } from '../topology.ts';
import { intOf } from './lift.ts';

/** What may stand between an image of whole numbers and the Cast that makes them real: values stay as they are. */
const moving = new Set(['Transpose', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);
const whole = new Set(['uint8', 'int8', 'uint16', 'int16', 'int32']);

/**
 * The graph with an image of real numbers where it takes one of whole numbers (as files of TensorFlow do) and casts it to
 * float32 before anything is computed: the same network, and a gradient by the image. The same graph otherwise.
 */
export function takeRealImages(graph: Graph): Graph {
  const consumers = consumersOf(graph);
  const changed = graph.inputs.filter((input) => isWholeImage(input) && isCastFirst(input.name, consumers));
  if (changed.length === 0) return graph;
  const inputs = graph.inputs.map((input): ValueInfo =>
    changed.includes(input) ? { ...input, dtype: 'float32' } : input,
  );
  // Types that the file states for what only moves the image would contradict the new one.
  return { ...graph, inputs, valueInfo: new Map() };
}

/** Whether the file takes whole numbers for pixels: 0 to 255, in files of TensorFlow. */
const isWholeImage = ({ dtype, shape }: ValueInfo): boolean => whole.has(dtype) && shape?.length === 4;

function isCastFirst(name: string, consumers: ReadonlyMap<string, readonly GraphNode[]>): boolean {
  const readers = consumers.get(name) ?? [];
  return (
    readers.length > 0 &&
    readers.every((node) => {
      if (node.domain !== '' || node.inputs[0] !== name) return false;
      if (node.op === 'Cast') return dtypeOfCode(intOf(node, 'to', 0)) === 'float32';
      return moving.has(node.op) && isCastFirst(node.outputs[0] ?? '', consumers);
    })
  );
}
