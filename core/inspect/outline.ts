import { sizeOf } from '../base/tensor.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';
import type { InferInput } from '../onnx/infer.ts';
import { intOf, intsOf } from '../onnx/normalise/lift.ts';
import { countOperations, type CountedNode } from './flops.ts';
import type { OutlineBlock } from './inspection.ts';
import { nameStages } from './outline-names.ts';
import { usesOf } from '../onnx/topology.ts';
import { readsShapeOnly } from './reach.ts';

interface Outlined {
  /** From the image to the logits, in the house operator set. */
  readonly graph: Graph;
  readonly image: string;
  /** For one size of the batch, which `batch` is. */
  readonly types: ReadonlyMap<string, InferInput>;
  readonly batch: number;
  readonly parameters: readonly string[];
}

const weighted = new Set(['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Einsum']);
/** Nobody looks for these in an outline. */
const silent = new Set(['Identity', 'Cast', 'CastLike', 'Dropout']);

/**
 * The way of an image through a network as a reader would tell it: a block begins at each layer with weights and at each
 * place where branches meet, and goes on with what follows.
 */
export function outlineOf({ graph, image, types, batch, parameters }: Outlined): readonly OutlineBlock[] {
  const known = new Set(parameters);
  const counted = new Set<string>();
  const blocks = blocksOf(graph, image, known);
  const used = blocks.map((nodes) => new Set(nodes.flatMap(({ inputs }) => inputs.filter((name) => known.has(name)))));
  const often = new Map<string, number>();
  for (const name of used.flatMap((names) => [...names])) often.set(name, (often.get(name) ?? 0) + 1);
  const named = nameStages(
    blocks.map((nodes, i) => ({
      node: nodes[0]?.name ?? '',
      // Exporters write equal parameters once, under the name of the first: such a name says nothing of the others.
      parameters: [...(used[i] ?? [])].filter((name) => often.get(name) === 1),
    })),
  );
  return blocks.map((nodes, i) => {
    const fresh = [...(used[i] ?? [])].filter((name) => !counted.has(name));
    for (const name of fresh) counted.add(name);
    const shape = types.get(nodes.at(-1)?.outputs[0] ?? '')?.shape ?? [];
    const shown = nodes.filter(({ op }) => !silent.has(op));
    return {
      stage: named[i]?.stage ?? '',
      name: named[i]?.name ?? '',
      operators: (shown.length > 0 ? shown : nodes).map((node) => operatorText(node, types)),
      shape: shape.map((size, axis) => (axis === 0 && size === batch ? 'N' : size)),
      parameters: fresh.reduce((sum, name) => sum + sizeOf(graph.initializers.get(name)?.dims ?? [0]), 0),
      flops: countOperations(nodes.map((node) => countedNode(node, types))).flops / batch,
    };
  });
}

function blocksOf(graph: Graph, image: string, parameters: ReadonlySet<string>): readonly (readonly GraphNode[])[] {
  const blocks: GraphNode[][] = [];
  /** Block that makes each value which follows from the image. */
  const made = new Map<string, number>([[image, 0]]);
  for (const node of graph.nodes) {
    const from = new Set(dataOf(node).flatMap((name) => made.get(name) ?? []));
    if (from.size === 0) continue;
    const isLayer = weighted.has(node.op) && node.inputs.some((name) => parameters.has(name));
    const last = blocks.at(-1);
    const follows = from.size === 1 && from.has(blocks.length - 1);
    if (last && follows && !isLayer) last.push(node);
    else blocks.push([node]);
    for (const name of node.outputs) made.set(name, blocks.length - 1);
  }
  return blocks;
}

/** Inputs that say more than a shape or a type. */
function dataOf(node: GraphNode): readonly string[] {
  if (readsShapeOnly.has(node.op)) return [];
  return takesShapeOf.has(node.op) ? node.inputs.slice(0, 1) : usesOf(node);
}

const takesShapeOf = new Set(['CastLike', 'Expand', 'Reshape', 'Resize', 'Slice', 'Pad']);

function countedNode(node: GraphNode, types: ReadonlyMap<string, InferInput>): CountedNode {
  return {
    name: node.name,
    op: node.op,
    attributes: node.attributes,
    inputs: node.inputs.map((name) => types.get(name)),
    outputs: node.outputs.flatMap((name) => types.get(name) ?? []),
  };
}

/** `Conv 3 × 3, stride 2`, `Conv 3 × 3, depthwise`, `MaxPool 2 × 2`, `Relu`. */
function operatorText(node: GraphNode, types: ReadonlyMap<string, InferInput>): string {
  const weight = types.get(node.inputs[1] ?? '')?.shape;
  const isConvolution = node.op === 'Conv' || node.op === 'ConvTranspose';
  const kernel = intsOf(node, 'kernel_shape') ?? (isConvolution ? weight?.slice(2) : undefined);
  if (!kernel || kernel.length === 0) return node.op;
  const strides = new Set(intsOf(node, 'strides'));
  const [stride = 1] = strides;
  const groups = intOf(node, 'group', 1);
  const isDepthwise = node.op === 'Conv' && groups > 1 && weight?.[1] === 1;
  return [
    `${node.op} ${kernel.join(' × ')}`,
    ...(strides.size > 1 ? [`stride ${[...(intsOf(node, 'strides') ?? [])].join(' × ')}`] : []),
    ...(isConvolution && strides.size === 1 && stride > 1 ? [`stride ${stride}`] : []),
    ...(isDepthwise ? ['depthwise'] : groups > 1 ? [`${groups} groups`] : []),
  ].join(', ');
}
