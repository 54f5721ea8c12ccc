import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { type Tensor, tensor, type TensorData } from '../../base/tensor.ts';
import type { Attribute, Graph, GraphNode, OnnxModel, ValueInfo } from '../graph.ts';
import type { InferContext, ValueType } from '../infer.ts';
import { houseModel, writeModel } from '../write.ts';

/** Attributes as a test writes them: numbers are ints, `{ float }` is a float, lists are ints. */
export type PlainAttributes = Readonly<
  Record<
    string,
    number | string | readonly number[] | { readonly float: number } | { readonly floats: readonly number[] } | Tensor
  >
>;

export function attributesOf(plain: PlainAttributes): Readonly<Record<string, Attribute>> {
  return Object.fromEntries(Object.entries(plain).map(([name, value]) => [name, attributeOf(value)]));
}

function attributeOf(value: PlainAttributes[string]): Attribute {
  if (typeof value === 'number') return { type: 'int', value };
  if (typeof value === 'string') return { type: 'string', value };
  if ('dims' in value) return { type: 'tensor', value };
  if ('float' in value) return { type: 'float', value: value.float };
  if ('floats' in value) return { type: 'floats', value: value.floats };
  return { type: 'ints', value };
}

/** A node of one output, which it is named after. */
export const plainNode = (
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: PlainAttributes = {},
): GraphNode => ({ name: output, domain: '', op, inputs, outputs: [output], attributes: attributesOf(attributes) });

/** One node and its inputs; those that shape inference needs to know stand in `constants` by position. */
export interface OneNode {
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes?: PlainAttributes;
  readonly outputCount?: number;
  /** Positions of inputs that are initialisers. */
  readonly constants?: readonly number[];
}

export function contextOf({ op, inputs, attributes = {}, outputCount = 1, constants = [] }: OneNode): InferContext {
  return {
    op,
    nodeName: 'tested',
    inputs: inputs.map((input, i) =>
      input === undefined
        ? undefined
        : { dtype: input.dtype, shape: input.dims, constant: constants.includes(i) ? input : undefined },
    ),
    attributes: attributesOf(attributes),
    outputCount,
  };
}

/** The node alone in a model; output shapes are left open so that onnxruntime finds them by itself. */
export function oneNodeModel(node: OneNode, outputs: readonly ValueType[]): OnnxModel {
  const names = node.inputs.map((input, i) => (input === undefined ? '' : `x${i}`));
  const isConstant = (i: number): boolean => node.constants?.includes(i) === true;
  const inputs: ValueInfo[] = [];
  const initializers = new Map<string, Tensor>();
  node.inputs.forEach((input, i) => {
    if (input === undefined) return;
    if (isConstant(i)) initializers.set(`x${i}`, input);
    else inputs.push({ name: `x${i}`, dtype: input.dtype, shape: input.dims });
  });
  const results = outputs.map(({ dtype }, i) => ({ name: `y${i}`, dtype, shape: undefined }));
  const graph: Graph = {
    name: 'one node',
    inputs,
    outputs: results,
    initializers,
    nodes: [
      {
        name: 'tested',
        domain: '',
        op: node.op,
        inputs: names,
        outputs: results.map(({ name }) => name),
        attributes: attributesOf(node.attributes ?? {}),
      },
    ],
    valueInfo: new Map(),
  };
  return houseModel(graph);
}

/** Runs a model on the CPU and gives its outputs by name. */
export async function runModel(
  model: OnnxModel,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const session = await InferenceSession.create(writeModel(model), { logSeverityLevel: 4, intraOpNumThreads: 1 });
  try {
    const given = Object.entries(feeds).map(
      ([name, { dtype, data, dims }]) => [name, new OrtTensor(dtype, data as never, dims)] as const,
    );
    const results = await session.run(Object.fromEntries(given));
    return Object.fromEntries(
      Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        tensor(type as Tensor['dtype'], [...dims], data as TensorData),
      ]),
    );
  } finally {
    await session.release();
  }
}

/** What onnxruntime makes of the node, outputs in order. */
export async function runOneNode(
  node: OneNode,
  outputs: readonly ValueType[],
): Promise<readonly (Tensor | undefined)[]> {
  const model = oneNodeModel(node, outputs);
  const feeds = Object.fromEntries(
    node.inputs.flatMap((input, i) =>
      input === undefined || node.constants?.includes(i) === true ? [] : [[`x${i}`, input]],
    ),
  );
  const results = await runModel(model, feeds);
  return outputs.map((_, i) => results[`y${i}`]);
}

/** Values that are all different, of both signs, away from 0 and below 1 in size; the same at each call. */
export function wave(dims: readonly number[], phase = 0): Tensor {
  const length = dims.reduce((a, b) => a * b, 1);
  return tensor(
    'float32',
    dims,
    Float32Array.from({ length }, (_, i) => 0.9 * Math.sin(1.7 * i + 0.3 + phase)),
  );
}
