import { sizeOf } from '../base/tensor.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';

export const invertibleActivations = ['LeakyRelu', 'Sigmoid', 'Tanh', 'Softplus'] as const;
export type InvertibleActivation = (typeof invertibleActivations)[number];

/** A weighted layer of a network that is a plain chain. A linear layer is a 1 × 1 convolution of a 1 × 1 image. */
export interface ChainLayer {
  /** Initialiser [O, I, kh, kw], or [O, I] or [I, O] of a linear layer. */
  readonly weight: string;
  /** A linear layer that is stored as [I, O]. */
  readonly isTransposed: boolean;
  readonly bias: string | undefined;
  readonly kernel: readonly [number, number];
  readonly stride: number;
  readonly pad: number;
  readonly inShape: readonly [number, number, number];
  readonly outShape: readonly [number, number, number];
  /** What follows it; undefined for the logits, or where something else follows. */
  readonly activation: { readonly op: InvertibleActivation; readonly slope: number } | undefined;
}

/** A network read from its input on, as far as it is a chain of layers that we know how to invert. */
export interface Chain {
  /** The first layer sees scale_c · pixel + shift_c, by channel. */
  readonly scale: readonly number[];
  readonly shift: readonly number[];
  readonly layers: readonly ChainLayer[];
  /** Why the chain ends before the logits; undefined when it reaches them. */
  readonly stopped: string | undefined;
}

type Shape = readonly [number, number, number];

interface Reading {
  scale: number[];
  shift: number[];
  layers: ChainLayer[];
  shape: Shape;
}

/** Reads a classifier's graph [N, C, H, W] → logits. */
export function readChain(graph: Graph, inputName: string, logitsName: string, shape: Shape): Chain {
  const state: Reading = { scale: Array(shape[0]).fill(1), shift: Array(shape[0]).fill(0), layers: [], shape };
  let value = inputName;
  let stopped: string | undefined;
  while (value !== logitsName && stopped === undefined) {
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes(value));
    const [node] = readers;
    if (!node || readers.length > 1) {
      stopped = node ? `${readers.length} operators read "${value}"` : `nothing reads "${value}"`;
      break;
    }
    stopped = step(node, value, graph, state);
    value = node.outputs[0] ?? '';
  }
  const { scale, shift, layers } = state;
  return { scale, shift, layers, stopped };
}

/** Takes one operator into the reading; the reason when it cannot. */
function step(node: GraphNode, value: string, graph: Graph, state: Reading): string | undefined {
  const not = (why: string): string => `${node.op} "${node.name}" ${why}`;
  const last = state.layers.at(-1);
  switch (node.op) {
    case 'Identity':
      return undefined;
    case 'Flatten':
    case 'Reshape':
      state.shape = [sizeOf(state.shape), 1, 1];
      return undefined;
    case 'Add':
    case 'Sub':
    case 'Mul':
    case 'Div':
      return affine(node, value, graph, state) ? undefined : not('is not a constant scale or shift');
    case 'Conv':
      return conv(node, graph, state) ? undefined : not('is grouped, dilated or unevenly padded');
    case 'Gemm':
    case 'MatMul':
      return linear(node, value, graph, state) ? undefined : not('is not a plain linear layer');
    case 'LeakyRelu':
    case 'Sigmoid':
    case 'Tanh':
    case 'Softplus': {
      if (!last || last.activation) return not('does not follow a layer');
      const alpha = node.attributes['alpha'];
      const slope = alpha?.type === 'float' ? alpha.value : 0.01;
      state.layers[state.layers.length - 1] = { ...last, activation: { op: node.op, slope } };
      return undefined;
    }
    default:
      return not('cannot be inverted');
  }
}

/** Input normalisation, or a bias that is added behind a linear layer. */
function affine(node: GraphNode, value: string, graph: Graph, state: Reading): boolean {
  const isFirst = node.inputs[0] === value;
  const name = node.inputs[isFirst ? 1 : 0] ?? '';
  const constant = graph.initializers.get(name);
  if (!constant) return false;
  const last = state.layers.at(-1);
  if (last) {
    const fits = node.op === 'Add' && !last.activation && !last.bias && constant.data.length === last.outShape[0];
    if (fits) state.layers[state.layers.length - 1] = { ...last, bias: name };
    return fits;
  }
  const channels = state.scale.length;
  if (
    (constant.data.length !== 1 && constant.data.length !== channels) ||
    (!isFirst && node.op !== 'Add' && node.op !== 'Mul')
  )
    return false;
  for (let c = 0; c < channels; c++) {
    const number = Number(constant.data[constant.data.length === 1 ? 0 : c]);
    if (node.op === 'Mul' || node.op === 'Div') {
      const factor = node.op === 'Mul' ? number : 1 / number;
      state.scale[c]! *= factor;
      state.shift[c]! *= factor;
    } else state.shift[c]! += node.op === 'Add' ? number : -number;
  }
  return true;
}

function conv({ inputs: [, weight = '', bias = ''], attributes }: GraphNode, graph: Graph, state: Reading): boolean {
  const dims = graph.initializers.get(weight)?.dims;
  const ints = (name: string, fallback: readonly number[]): readonly number[] => {
    const attribute = attributes[name];
    return attribute?.type === 'ints' ? attribute.value : fallback;
  };
  const [sy = 1, sx = 1] = ints('strides', [1, 1]);
  const pads = ints('pads', [0, 0, 0, 0]);
  const [pad = 0] = pads;
  const auto = attributes['auto_pad'];
  const group = attributes['group'];
  const plain =
    dims?.length === 4 &&
    dims[1] === state.shape[0] &&
    sy === sx &&
    pads.every((each) => each === pad) &&
    ints('dilations', [1, 1]).every((each) => each === 1) &&
    (group?.type !== 'int' || group.value === 1) &&
    (auto?.type !== 'string' || auto.value === 'NOTSET');
  if (!plain) return false;
  const [filters = 0, , kh = 1, kw = 1] = dims;
  const [, height, width] = state.shape;
  const out = (size: number, kernel: number): number => Math.floor((size + 2 * pad - kernel) / sy) + 1;
  const outShape = [filters, out(height, kh), out(width, kw)] as const;
  state.layers.push({
    weight,
    isTransposed: false,
    bias: bias === '' ? undefined : bias,
    kernel: [kh, kw],
    stride: sy,
    pad,
    inShape: state.shape,
    outShape,
    activation: undefined,
  });
  state.shape = outShape;
  return true;
}

function linear({ op, inputs, attributes }: GraphNode, value: string, graph: Graph, state: Reading): boolean {
  const [x, weight = '', bias = ''] = inputs;
  const dims = graph.initializers.get(weight)?.dims;
  const number = (name: string, fallback: number): number => {
    const attribute = attributes[name];
    return attribute?.type === 'int' || attribute?.type === 'float' ? attribute.value : fallback;
  };
  const isTransposed = op === 'MatMul' || number('transB', 0) === 0;
  const features = sizeOf(state.shape);
  const plain =
    x === value &&
    dims?.length === 2 &&
    dims[isTransposed ? 0 : 1] === features &&
    state.shape[1] === 1 &&
    state.shape[2] === 1 &&
    number('transA', 0) === 0 &&
    number('alpha', 1) === 1 &&
    number('beta', 1) === 1;
  if (!plain) return false;
  const outShape = [dims[isTransposed ? 1 : 0] ?? 0, 1, 1] as const;
  state.layers.push({
    weight,
    isTransposed,
    bias: bias === '' ? undefined : bias,
    kernel: [1, 1],
    stride: 1,
    pad: 0,
    inShape: state.shape,
    outShape,
    activation: undefined,
  });
  state.shape = outShape;
  return true;
}
