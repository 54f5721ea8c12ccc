import { sizeOf } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import type { Graph } from '../onnx/graph.ts';

/** Multiply-adds of convolutions and matrix products of one forward pass on inputs of the given shape, batch included. */
export function multiplyAdds(graph: Graph, inputShape: readonly number[]): number {
  const g = new GraphBuilder();
  const inputs = Object.fromEntries(graph.inputs.map(({ name }) => [name, g.input(name, 'float32', inputShape)]));
  const { outputs } = inlineGraph(g, graph, { inputs });
  const seen = new Set<object>();
  const stack = Object.values(outputs);
  let total = 0;
  for (let value = stack.pop(); value; value = stack.pop()) {
    const node = value.producer;
    if (!node || seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) if (input) stack.push(input);
    total += nodeCost(node.op, node.inputs, value);
  }
  return total;
}

/** So much of weights may be held in several forms: there are sessions for several batch sizes and lanes. */
export const fewWeightBytes = 1.25e8;

export const weightBytes = ({ initializers }: Graph): number =>
  [...initializers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);

/** Lets a loop over fixed weights hold them in the forms that make it fastest (`Emitter.spendMemory`), unless they are many. */
export function spendMemoryOn(g: GraphBuilder, graph: Graph): void {
  if (weightBytes(graph) <= fewWeightBytes) g.spendMemory();
}

function nodeCost(op: string, [a, b]: readonly (Value | undefined)[], output: Value): number {
  if (!a || !b) return 0;
  const outputs = sizeOf(output.shape);
  switch (op) {
    case 'Conv':
      return outputs * sizeOf(b.shape.slice(1));
    case 'ConvTranspose':
      return sizeOf(a.shape) * sizeOf(b.shape.slice(1));
    case 'MatMul':
      return outputs * (a.shape.at(-1) ?? 1);
    case 'Gemm':
      return (outputs * sizeOf(a.shape)) / (output.shape[0] ?? 1);
    default:
      return 0;
  }
}
