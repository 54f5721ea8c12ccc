import type { Dim, Graph, GraphNode } from '../graph.ts';

/** Ops whose first output has the rank of their first input. */
const rankKeepers = new Set(
  `Relu Sigmoid Tanh LeakyRelu Elu Selu Clip Identity Dropout BatchNormalization InstanceNormalization LRN Conv
   ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool Softmax LogSoftmax Hardmax Pad Slice Concat Transpose
   Cast Neg Exp Log Sqrt Abs Resize Upsample PRelu HardSigmoid Softplus Split`.split(/\s+/),
);
const matrixMakers = new Set(['Gemm', 'Flatten']);
const widest = new Set(['Add', 'Sub', 'Mul', 'Div']);

/** Ranks of values: from the file's declarations where it has them, else from the ops that classifiers end in. */
export class Ranks {
  readonly #shapes = new Map<string, readonly Dim[]>();
  readonly #ranks = new Map<string, number>();

  constructor(graph: Graph) {
    for (const { name, shape } of [...graph.inputs, ...graph.outputs, ...graph.valueInfo.values()]) {
      if (shape !== undefined) this.#shapes.set(name, shape);
    }
    for (const [name, { dims }] of graph.initializers) this.#shapes.set(name, dims);
    for (const node of graph.nodes) this.#visit(node, graph);
  }

  #visit(node: GraphNode, graph: Graph): void {
    const [output] = node.outputs;
    if (output === undefined) return;
    const ranks = node.inputs.map((name) => this.rankOf(name));
    const rank = this.#outputRank(node, ranks, graph);
    if (rank !== undefined) for (const name of node.outputs) this.#ranks.set(name, rank);
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

  rankOf(name: string): number | undefined {
    return this.#shapes.get(name)?.length ?? this.#ranks.get(name);
  }

  dimOf(name: string, axis: number): number | undefined {
    const dim = this.#shapes.get(name)?.[axis];
    return typeof dim === 'number' ? dim : undefined;
  }
}
