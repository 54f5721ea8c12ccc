import { sizeOf } from '../base/tensor.ts';
import type { Value } from '../autodiff/builder.ts';
import type { BuiltNode } from '../autodiff/emitter.ts';
import { NodeAttributes } from '../autodiff/emitter.ts';
import type { InferInput } from '../onnx/infer.ts';

/** Nodes that the values are computed by. */
export function nodesBehind(values: readonly (Value | undefined)[]): ReadonlySet<BuiltNode> {
  const nodes = new Set<BuiltNode>();
  const stack = values.flatMap((value) => value?.producer ?? []);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    for (const value of node.inputs) if (value?.producer) stack.push(value.producer);
  }
  return nodes;
}

/** A node with what its operations depend on: the types of its values. */
export interface CountedNode extends Pick<BuiltNode, 'name' | 'op' | 'attributes'> {
  readonly inputs: readonly (InferInput | undefined)[];
  readonly outputs: readonly InferInput[];
}

export interface Operations {
  readonly multiplyAdds: number;
  /** Two for a multiply-add, one for each number that another operator computes; moving data counts nothing. */
  readonly flops: number;
}

/** Operations of nodes, all shapes being known. */
export function countOperations(nodes: Iterable<CountedNode>): Operations {
  let multiplyAdds = 0;
  let others = 0;
  for (const node of nodes) {
    const products = multiplyAddsOf(node);
    if (products > 0) multiplyAdds += products;
    else if (!moving.has(node.op)) others += Math.max(...node.outputs.map(elementsOf), ...node.inputs.map(elementsOf));
  }
  return { multiplyAdds, flops: 2 * multiplyAdds + others };
}

const elementsOf = (value: InferInput | undefined): number =>
  value?.dtype.startsWith('float') && value.constant === undefined ? sizeOf(value.shape) : 0;

/** Operators that copy, choose or describe numbers and compute none. */
const moving = new Set([
  'Cast',
  'Concat',
  'ConstantOfShape',
  'DepthToSpace',
  'Expand',
  'Flatten',
  'Gather',
  'GatherElements',
  'GatherND',
  'Identity',
  'OneHot',
  'Pad',
  'Reshape',
  'Shape',
  'Slice',
  'SpaceToDepth',
  'Split',
  'Squeeze',
  'Tile',
  'Transpose',
  'Unsqueeze',
]);

function multiplyAddsOf(node: CountedNode): number {
  const [a, b] = node.inputs;
  const [y] = node.outputs;
  if (!a || !b || !y) return 0;
  switch (node.op) {
    case 'Conv':
      return sizeOf(y.shape) * sizeOf(b.shape.slice(1));
    case 'ConvTranspose':
      return sizeOf(a.shape) * sizeOf(b.shape.slice(1));
    case 'MatMul':
      return sizeOf(y.shape) * (a.shape.at(-1) ?? 1);
    case 'Gemm': {
      const isTurned = new NodeAttributes(node).flag('transA');
      return sizeOf(y.shape) * (a.shape[isTurned ? 0 : 1] ?? 1);
    }
    case 'Einsum':
      return einsumSize(node);
    default:
      return 0;
  }
}

/** Product of the sizes of all indices. */
function einsumSize(node: CountedNode): number {
  const [left = ''] = new NodeAttributes(node).string('equation', '').replaceAll(' ', '').split('->');
  const sizes = new Map<string, number>();
  left.split(',').forEach((term, i) => {
    const shape = node.inputs[i]?.shape ?? [];
    // What the dots stand for comes between the letters; each of its axes counts under its own place.
    const dots = term.indexOf('...');
    const letters = dots === -1 ? [...term] : [...term.replace('...', '')];
    const hidden = shape.length - letters.length;
    shape.forEach((size, axis) => {
      const isHidden = dots !== -1 && axis >= dots && axis < dots + hidden;
      const key = isHidden
        ? `.${dots + hidden - axis}`
        : (letters[axis < dots || dots === -1 ? axis : axis - hidden] ?? '');
      sizes.set(key, Math.max(size, sizes.get(key) ?? 1));
    });
  });
  return sizeOf([...sizes.values()]);
}
