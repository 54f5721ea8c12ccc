import type { Graph } from '../onnx/graph.ts';

/**
 * Names of the nodes, bodies of loops included, that onnxruntime's WebGPU provider takes and then cannot run: it pools
 * without saying where the maximum was. They are kept on the CPU.
 */
export function nodesUnknownToWebGpu({ nodes }: Graph): string[] {
  return nodes.flatMap((node) => [
    ...(node.op === 'MaxPool' && (node.outputs[1] ?? '') !== '' ? [node.name] : []),
    ...Object.values(node.attributes).flatMap((attribute) =>
      attribute.type === 'graph' ? nodesUnknownToWebGpu(attribute.value) : [],
    ),
  ]);
}
