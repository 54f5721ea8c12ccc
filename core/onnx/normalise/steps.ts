import { float32, int64, type Tensor } from '../../base/tensor.ts';
import type { Attribute, GraphNode } from '../graph.ts';
import type { LiftScope } from './lift.ts';

/** Writes down the nodes that take the place of one: each call appends one and gives the name of its value. */
export class Steps {
  readonly nodes: GraphNode[] = [];
  readonly #node: GraphNode;
  readonly #scope: LiftScope;

  constructor(node: GraphNode, scope: LiftScope) {
    this.#node = node;
    this.#scope = scope;
  }

  constant(tensor: Tensor): string {
    return this.#scope.constant(this.#node, 'constant', tensor);
  }
  number(value: number): string {
    return this.constant(float32([], [value]));
  }
  ints(...values: readonly number[]): string {
    return this.constant(int64([values.length], values));
  }

  add(op: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    return this.many(op, inputs, 1, attributes)[0] ?? '';
  }

  many(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): readonly string[] {
    const outputs = Array.from({ length: count }, () => this.#scope.fresh(this.#node, op.toLowerCase()));
    const [first = ''] = outputs;
    this.nodes.push({ name: first, domain: '', op, inputs, outputs, attributes });
    return outputs;
  }

  transpose(value: string, ...perm: readonly number[]): string {
    return this.add('Transpose', [value], { perm: { type: 'ints', value: perm } });
  }
  reshape(value: string, ...shape: readonly number[]): string {
    return this.add('Reshape', [value, this.ints(...shape)]);
  }
  /** The size of one axis as a tensor of one int64. */
  sizeOf(value: string, axis: number): string {
    const ends = axis === -1 ? {} : { end: { type: 'int', value: axis + 1 } as const };
    return this.add('Shape', [value], { start: { type: 'int', value: axis }, ...ends });
  }

  /** The nodes, the last of which gives the value that the node gave. */
  finish(): readonly GraphNode[] {
    const last = this.nodes.at(-1);
    if (last === undefined) return [];
    return [...this.nodes.slice(0, -1), { ...last, name: this.#node.name, outputs: this.#node.outputs.slice(0, 1) }];
  }
}
