import { invariant, WorkbenchError } from '../base/errors.ts';
import type { DType, Tensor } from '../base/tensor.ts';
import { foldNode } from '../onnx/fold.ts';
import type { Attribute, Dim, Graph, GraphNode, ValueInfo } from '../onnx/graph.ts';
import { inferTypes } from '../onnx/infer-table.ts';
import type { ValueType } from '../onnx/infer.ts';

/** A value of a graph under construction: typed, with every dimension known. */
export interface Value extends ValueType {
  /** Creation order within its builder; a node's inputs always have smaller ids than its outputs. */
  readonly id: number;
  readonly name: string;
  readonly constant: Tensor | undefined;
  readonly producer: BuiltNode | undefined;
}

export interface BuiltNode {
  readonly name: string;
  readonly op: string;
  readonly domain: string;
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface EmitOptions {
  readonly name?: string;
  readonly domain?: string;
  readonly outputs?: number;
  /** Output types that inference cannot know (values that come from an outer graph). */
  readonly types?: readonly ValueType[];
}

/** Of operators that stand for others while derivatives are taken, see `Emitter.derived`. */
export const derivedDomain = 'palimpsest.derived';

/**
 * Appends typed nodes to a graph. Equal nodes are emitted once, constants are folded, and `build` keeps only what the
 * outputs need, so callers may emit freely.
 */
export class Emitter {
  readonly #nodes: BuiltNode[] = [];
  readonly #inputs: { value: Value; shape: readonly Dim[] }[] = [];
  readonly #outputs: { name: string; value: Value }[] = [];
  readonly #seen = new Map<string, readonly Value[]>();
  readonly #constants = new Map<string, Value>();
  readonly #dataIds = new WeakMap<object, number>();
  readonly #owned = new WeakSet<Value>();
  readonly #plain = new WeakMap<Value, Value>();
  readonly #fixed = new WeakSet<Value>();
  readonly #weights = new WeakMap<Value, Tensor>();
  readonly #nodeNames = new Set<string>();
  readonly #prefix: string;
  #nextId = 0;
  #nextDataId = 0;
  #spendsMemory = false;

  /** Where the graph will run: which of several ways to compute the same is fastest depends on it. */
  readonly device: 'cpu' | 'gpu';

  /** `prefix` keeps names apart from those of an enclosing graph. */
  constructor(prefix = '', device: 'cpu' | 'gpu' = 'cpu') {
    this.#prefix = prefix;
    this.device = device;
  }

  #value(name: string, type: ValueType, constant?: Tensor): { -readonly [K in keyof Value]: Value[K] } {
    const value = { id: this.#nextId++, name, dtype: type.dtype, shape: type.shape, constant, producer: undefined };
    this.#owned.add(value);
    return value;
  }

  /** A graph input. `symbolic` replaces dimensions in the built graph (a named batch), not in inference. */
  input(name: string, dtype: DType, shape: readonly number[], symbolic: readonly Dim[] = shape): Value {
    const value = this.#value(name, { dtype, shape });
    this.#inputs.push({ value, shape: symbolic });
    return value;
  }

  /** A value of the enclosing graph, seen from a Loop body. */
  outer(name: string, dtype: DType, shape: readonly number[]): Value {
    return this.#value(name, { dtype, shape });
  }

  /**
   * An initialiser. Unnamed ones are shared: small ones by content, large ones by identity of their data. A named one is
   * its own value, so that two parameters that start equal stay two.
   */
  constant(tensor: Tensor, name?: string): Value {
    if (name !== undefined) return this.#value(name, { dtype: tensor.dtype, shape: tensor.dims }, tensor);
    const content =
      tensor.data.length <= 64 ? Array.from(tensor.data, floatKey).join() : `#${this.#dataId(tensor.data)}`;
    const key = `${name ?? ''}:${tensor.dtype}[${tensor.dims.join()}]${content}`;
    const known = this.#constants.get(key);
    if (known) return known;
    const value = this.#value(`${this.#prefix}c${this.#nextId}`, { dtype: tensor.dtype, shape: tensor.dims }, tensor);
    this.#constants.set(key, value);
    return value;
  }

  /** An initialiser that nothing is folded into, so that derivatives can be taken by it. */
  weight(tensor: Tensor, name: string): Value {
    const value = this.#value(name, { dtype: tensor.dtype, shape: tensor.dims });
    this.#weights.set(value, tensor);
    this.#fixed.add(value);
    return value;
  }

  /** Two networks in one graph may name their nodes alike; onnxruntime refuses that. */
  #freeName(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#nodeNames.has(name); i++) name = `${wanted}_${i}`;
    this.#nodeNames.add(name);
    return name;
  }

  #dataId(data: object): number {
    let id = this.#dataIds.get(data);
    if (id === undefined) this.#dataIds.set(data, (id = this.#nextDataId++));
    return id;
  }

  /** Graphs and large tensors count by identity, everything else by content. */
  #attributeKey(attribute: Attribute): string {
    switch (attribute.type) {
      case 'graph':
        return `#${this.#dataId(attribute.value)}`;
      case 'tensor':
        return this.#tensorKey(attribute.value);
      case 'int':
      case 'float':
        return floatKey(attribute.value);
      case 'ints':
      case 'floats':
        return attribute.value.map(floatKey).join();
      case 'string':
      case 'strings':
        return JSON.stringify(attribute.value);
    }
  }

  #tensorKey({ dtype, dims, data }: Tensor): string {
    const content = data.length <= 64 ? Array.from(data, floatKey).join() : `#${this.#dataId(data)}`;
    return `${dtype}[${dims.join()}]${content}`;
  }

  /** Constants of another builder are taken over; any other foreign value is a fault of the caller. */
  #own(value: Value): Value {
    if (this.#owned.has(value)) return value;
    invariant(value.constant, `value ${value.name} belongs to another graph`);
    return this.constant(value.constant);
  }

  op(
    op: string,
    inputs: readonly (Value | undefined)[],
    attributes: Readonly<Record<string, Attribute>> = {},
    options: EmitOptions = {},
  ): readonly Value[] {
    const own = inputs.map((value) => value && this.#own(value));
    const outputCount = options.outputs ?? 1;
    const domain = options.domain ?? '';
    const attributeText = Object.keys(attributes)
      .sort()
      .map((name) => `${name}=${attributes[name] ? this.#attributeKey(attributes[name]) : ''}`)
      .join(';');
    const key = `${domain}:${op}(${own.map((v) => v?.id ?? '').join()}){${attributeText}}/${outputCount}`;
    const known = this.#seen.get(key);
    if (known) return known;
    const name = this.#freeName(options.name ?? `${this.#prefix}${op}_${this.#nextId}`);
    const context = { op, nodeName: name, inputs: own, attributes, outputCount };
    const folded = options.types ? undefined : foldNode(context);
    if (folded) {
      const values = folded.map((tensor) => this.constant(tensor));
      this.#seen.set(key, values);
      return values;
    }
    const types = options.types ?? inferTypes(context);
    const outputs = types.slice(0, outputCount).map((type) => this.#value(`${this.#prefix}v${this.#nextId}`, type));
    const node: BuiltNode = { name, op, domain, inputs: own, outputs, attributes };
    for (const value of outputs) value.producer = node;
    this.#nodes.push(node);
    this.#seen.set(key, outputs);
    return outputs;
  }

  /**
   * Says that `fast` computes what `plain` computes. Derivatives are taken of `plain`, whose nodes are not built if
   * nothing else needs them. `steady` makes what is nearly as fast and has the same nodes at every batch size.
   */
  alternative(fast: Value, plain: Value, _steady?: () => Value): Value {
    if (fast !== plain && !fast.constant) this.#plain.set(fast, this.plainOf(plain));
    return fast;
  }

  /**
   * Says that derivatives of `value` are those of an operator of `derivedDomain` on `inputs`, which is never run: for what
   * is made of many nodes, but has a derivative in few.
   */
  derived(value: Value, op: string, inputs: readonly Value[], attributes: Readonly<Record<string, Attribute>>): Value {
    if (value.constant || this.#plain.has(value)) return value;
    const output = this.#value(`${this.#prefix}v${this.#nextId}`, value);
    output.producer = { name: output.name, op, domain: derivedDomain, inputs, outputs: [output], attributes };
    this.#plain.set(value, output);
    return value;
  }

  /** What derivatives of a value are taken of: the value itself, or what it is an alternative to. */
  plainOf(value: Value): Value {
    return this.#plain.get(value) ?? value;
  }

  /** Says that weights may be held in several forms where that saves time. */
  spendMemory(): void {
    this.#spendsMemory = true;
  }
  get spendsMemory(): boolean {
    return this.#spendsMemory;
  }

  /** Says that an input of this graph will be an initialiser when it runs. */
  fix(value: Value): void {
    this.#fixed.add(value);
  }

  /** Whether a value is known before the graph runs: what is computed from constants alone, onnxruntime folds. */
  isFixed(value: Value): boolean {
    if (value.constant || this.#fixed.has(value)) return true;
    const { producer } = value;
    if (!producer || producer.inputs.length === 0) return false;
    const isKnown = producer.inputs.every((input) => input === undefined || this.isFixed(input));
    if (isKnown) this.#fixed.add(value);
    return isKnown;
  }

  /** Declares an output. An input, a constant or a value already declared gets an Identity, so that names stay distinct. */
  output(name: string, value: Value): void {
    const own = this.#own(value);
    const direct = own.producer !== undefined && this.#outputs.every((other) => other.value !== own);
    this.#outputs.push({ name, value: direct ? own : this.#identity(own) });
  }

  #identity(value: Value): Value {
    const output = this.#value(`${this.#prefix}v${this.#nextId}`, value);
    const node: BuiltNode = {
      name: `${this.#prefix}Identity_${output.id}`,
      op: 'Identity',
      domain: '',
      inputs: [value],
      outputs: [output],
      attributes: {},
    };
    output.producer = node;
    this.#nodes.push(node);
    return output;
  }

  /** The finished graph: only nodes on a path to an output, outputs under their declared names. */
  build(
    graphName: string,
    outputShape: (name: string, shape: readonly number[]) => readonly Dim[] = (_, shape) => shape,
  ): Graph {
    const names = new Map<Value, string>();
    for (const { name, value } of this.#outputs) names.set(value, name);
    const needed = new Set<BuiltNode>();
    const stack = this.#outputs.flatMap(({ value }) => value.producer ?? []);
    for (let node = stack.pop(); node; node = stack.pop()) {
      if (needed.has(node)) continue;
      needed.add(node);
      for (const value of node.inputs) if (value?.producer) stack.push(value.producer);
    }
    const nameOf = (value: Value | undefined): string => (value ? (names.get(value) ?? value.name) : '');
    const initializers = new Map<string, Tensor>();
    const nodes: GraphNode[] = [];
    for (const node of this.#nodes) {
      if (!needed.has(node)) continue;
      for (const value of node.inputs) {
        const tensor = value && (value.constant ?? this.#weights.get(value));
        if (tensor) initializers.set(nameOf(value), tensor);
      }
      const used = node.inputs.map(nameOf);
      while (used.at(-1) === '') used.pop();
      nodes.push({
        name: node.name,
        domain: node.domain,
        op: node.op,
        inputs: used,
        outputs: node.outputs.map(nameOf),
        attributes: node.attributes,
      });
    }
    const info = (name: string, value: Value, shape: readonly Dim[]): ValueInfo => ({
      name,
      dtype: value.dtype,
      shape,
    });
    return {
      name: graphName,
      inputs: this.#inputs.map(({ value, shape }) => info(value.name, value, shape)),
      outputs: this.#outputs.map(({ name, value }) => info(name, value, outputShape(name, value.shape))),
      initializers,
      nodes,
      valueInfo: new Map(),
    };
  }
}

const floatKey = (x: number | bigint): string => (Object.is(x, -0) ? '-0' : String(x));

/** Typed access to the attributes of a node, with the operator's default. */
export class NodeAttributes {
  readonly #node: Pick<BuiltNode, 'name' | 'op' | 'attributes'>;

  constructor(node: Pick<BuiltNode, 'name' | 'op' | 'attributes'>) {
    this.#node = node;
  }

  #mistyped(name: string, expected: string, attribute: Attribute): never {
    throw new WorkbenchError(
      'MODEL_UNREADABLE',
      `Attribute "${name}" of ${this.#node.op} (${this.#node.name}) should be ${expected}, got ${attribute.type}`,
    );
  }

  get all(): BuiltNode['attributes'] {
    return this.#node.attributes;
  }
  int(name: string, fallback: number): number {
    const attribute = this.#node.attributes[name];
    if (!attribute) return fallback;
    return attribute.type === 'int' ? attribute.value : this.#mistyped(name, 'int', attribute);
  }
  flag(name: string, fallback = false): boolean {
    return this.int(name, Number(fallback)) !== 0;
  }
  float(name: string, fallback: number): number {
    const attribute = this.#node.attributes[name];
    // ONNX stores attributes in 32 bits.
    if (!attribute) return Math.fround(fallback);
    return attribute.type === 'float' ? Math.fround(attribute.value) : this.#mistyped(name, 'float', attribute);
  }
  string(name: string, fallback: string): string {
    const attribute = this.#node.attributes[name];
    if (!attribute) return fallback;
    return attribute.type === 'string' ? attribute.value : this.#mistyped(name, 'string', attribute);
  }
  ints(name: string): readonly number[] | undefined {
    const attribute = this.#node.attributes[name];
    if (!attribute) return undefined;
    return attribute.type === 'ints' ? attribute.value : this.#mistyped(name, 'ints', attribute);
  }
  has(name: string): boolean {
    return this.#node.attributes[name] !== undefined;
  }
}
