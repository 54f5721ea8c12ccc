import type { Tensor } from '../../base/tensor.ts';
import type { Dim, GraphNode, OnnxModel, ValueInfo } from '../graph.ts';
import { houseModel } from '../write.ts';
import { attributesOf, type PlainAttributes } from './one-node.ts';

/** op, inputs, output, attributes. */
export type Step = readonly [op: string, inputs: readonly string[], output: string, attributes?: PlainAttributes];

export interface Plan {
  readonly input?: readonly Dim[];
  readonly inputs?: readonly ValueInfo[];
  readonly steps: readonly Step[];
  readonly weights?: Readonly<Record<string, Tensor>>;
  readonly output?: string;
}

export const float = (name: string, shape: readonly Dim[]): ValueInfo => ({ name, dtype: 'float32', shape });

/** A model of the house operator set, one node a step; the last step gives the output unless another is named. */
export function modelOf({
  input = ['N', 1, 2, 3],
  inputs = [float('x', input)],
  steps,
  weights = {},
  output,
}: Plan): OnnxModel {
  const nodes = steps.map(([op, names, result, attributes = {}]): GraphNode => ({
    name: `${op}_${result}`,
    domain: '',
    op,
    inputs: names,
    outputs: [result],
    attributes: attributesOf(attributes),
  }));
  const outputs = [{ name: output ?? nodes.at(-1)?.outputs[0] ?? '', dtype: 'float32', shape: undefined } as const];
  return houseModel({
    name: 'test',
    inputs,
    outputs,
    nodes,
    initializers: new Map(Object.entries(weights)),
    valueInfo: new Map(),
  });
}
