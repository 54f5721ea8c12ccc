import type { DType } from '../../base/tensor.ts';
import { dtypeOfCode } from '../element-types.ts';
import type { Dim, Graph, GraphNode } from '../graph.ts';
import { intOf } from './lift.ts';

/** Ops whose first output has the rank of their first input. */
const rankKeepers = new Set(
  `Relu Sigmoid Tanh LeakyRelu Elu Selu Clip Identity Dropout BatchNormalization InstanceNormalization LRN Conv
   ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool Softmax LogSoftmax Hardmax Pad Slice Concat Transpose
   Cast Neg Exp Log Sqrt Abs Resize Upsample PRelu HardSigmoid Softplus Split`.split(/\s+/),
);
const matrixMakers = new Set(['Gemm', 'Flatten']);
const widest = new Set(['Add', 'Sub', 'Mul', 'Div']);

/** Ops that answer questions. */
const questions = new Set('Equal Greater GreaterOrEqual Less LessOrEqual And Or Xor Not IsNaN IsInf'.split(' '));
/** Ops whose result has the element type of their first input, or of the second. */
const typeKeepers = new Set(
  `Identity Reshape Flatten Squeeze Unsqueeze Transpose Expand Slice Concat Gather GatherND Tile Pad Split Trilu
   ScatterND ScatterElements`.split(/\s+/),
);

/** Ranks and element types of values: from the file's declarations where it has them, else from the ops that classifiers end in. */
export class Ranks {
  readonly #shapes = new Map<string, readonly Dim[]>();
  readonly #ranks = new Map<string, number>();
  readonly #dtypes = new Map<string, DType>();

  constructor(graph: Graph) {
    for (const { name, shape, dtype } of [...graph.inputs, ...graph.outputs, ...graph.valueInfo.values()]) {
      this.#dtypes.set(name, dtype);
      if (shape !== undefined) this.#shapes.set(name, shape);
    }
    for (const [name, { dims, dtype }] of graph.initializers) {
      this.#shapes.set(name, dims);
      this.#dtypes.set(name, dtype);
    }
    for (const node of graph.nodes) this.#visit(node, graph);
  }

  #visit(node: GraphNode, graph: Graph): void {
    const [output] = node.outputs;
    if (output === undefined) return;
    const ranks = node.inputs.map((name) => this.rankOf(name));
    const rank = this.#outputRank(node, ranks, graph);
    if (rank !== undefined) for (const name of node.outputs) this.#ranks.set(name, rank);
    const dtype = this.#outputType(node);
    if (dtype !== undefined && !this.#dtypes.has(output)) this.#dtypes.set(output, dtype);
  }

  #outputRank(node: GraphNode, ranks: readonly (number | undefined)[], graph: Graph): number | undefined {
    if (matrixMakers.has(node.op)) return 2;
    if (rankKeepers.has(node.op)) return ranks[0];
    if (node.op === 'Reshape') return graph.initializers.get(node.inputs[1] ?? '')?.dims[0];
    if (node.op === 'MatMul' && ranks[1] === 2) return ranks[0];
    if (!widest.has(node.op)) return undefined;
    const known = ranks.filter((rank) => rank !== undefined);
    return known.length === ranks.length ? Math.max(...known) : undefined;
  }

  #outputType(node: GraphNode): DType | undefined {
    if (questions.has(node.op)) return 'bool';
    if (node.op === 'Cast') return dtypeOfCode(intOf(node, 'to', 0));
    if (node.op === 'Where') return this.#dtypes.get(node.inputs[1] ?? '');
    return typeKeepers.has(node.op) ? this.#dtypes.get(node.inputs[0] ?? '') : undefined;
  }

  dtypeOf(name: string): DType | undefined {
    return this.#dtypes.get(name);
  }

  rankOf(name: string): number | undefined {
    return this.#shapes.get(name)?.length ?? this.#ranks.get(name);
  }

  dimOf(name: string, axis: number): number | undefined {
    const dim = this.#shapes.get(name)?.[axis];
    return typeof dim === 'number' ? dim : undefined;
  }
}
