import { float32, type Tensor } from '../../base/tensor.ts';
import { attributeTensor, dtypeOfCode, nameOfCode } from '../element-types.ts';
import type { Attribute, Dim, Graph, GraphNode, ValueInfo } from '../graph.ts';
import type { GraphProto, NodeProto, TensorShapeProto_Dimension, ValueInfoProto } from '../proto/onnx_pb.generated.ts';
import { pruneGraph, sortNodes, usesOf } from '../topology.ts';
import { domainOf } from '../validate/domains.ts';
import type { RuleId } from '../validate/rules.ts';
import { readAttribute } from './attribute.ts';
import type { FunctionInliner } from './functions.ts';
import { listed, refusal, shown } from './problem.ts';
import type { TensorReader } from './tensor.ts';

function dimOf({ value }: TensorShapeProto_Dimension): Dim {
  if (value.case === 'dimParam') return value.value;
  // Some exporters write −1 for a free dimension.
  return value.case === 'dimValue' && value.value >= 0n ? Number(value.value) : '';
}

/** undefined for what is not a dense tensor of a known element type. */
function valueOf(proto: ValueInfoProto): ValueInfo | undefined {
  const type = proto.type?.value;
  if (type?.case !== 'tensorType') return undefined;
  const dtype = dtypeOfCode(type.value.elemType);
  return dtype === undefined ? undefined : { name: proto.name, dtype, shape: type.value.shape?.dim.map(dimOf) };
}

/** The tensor of a Constant node; undefined for the forms that hold no numbers. */
function constantOf(attributes: Readonly<Record<string, Attribute>>): Tensor | undefined {
  for (const attribute of Object.values(attributes)) {
    if (attribute.type === 'tensor') return attribute.value;
    if (attribute.type === 'float') return float32([], [attribute.value]);
    if (attribute.type === 'floats') return float32([attribute.value.length], attribute.value);
    if (attribute.type === 'int') return attributeTensor([], [attribute.value]);
    if (attribute.type === 'ints') return attributeTensor([attribute.value.length], attribute.value);
  }
  return undefined;
}

/** The names that a graph and those around it define. Linked, not copied: a graph may hold thousands of others. */
interface Scope {
  readonly names: ReadonlySet<string>;
  readonly outer: Scope | undefined;
}

function isDefined(name: string, scope: Scope | undefined): boolean {
  for (let each = scope; each !== undefined; each = each.outer) if (each.names.has(name)) return true;
  return false;
}

/** The scores behind a map from class names to scores, which scikit-learn's converter puts at the end of classifiers. */
function mappedScores(nodes: readonly NodeProto[], output: string): ValueInfo | undefined {
  const map = nodes.find(({ opType, domain, output: names }) => {
    return opType === 'ZipMap' && domain === 'ai.onnx.ml' && names.includes(output);
  });
  const [name] = map?.input ?? [];
  return name === undefined ? undefined : { name, dtype: 'float32', shape: undefined };
}

/** Reads one graph of a file, and the graphs inside it. */
export class GraphReader {
  readonly #tensors: TensorReader;
  readonly #inliner: FunctionInliner;

  constructor(tensors: TensorReader, inliner: FunctionInliner) {
    this.#tensors = tensors;
    this.#inliner = inliner;
  }

  /** `outer` are the names that the surrounding graphs define. */
  read(proto: GraphProto, outer?: Scope): Graph {
    if (proto.sparseInitializer.length > 0) {
      const names = listed(proto.sparseInitializer.map(({ values }) => values?.name ?? ''));
      this.#refuse('ONNX_E_SPARSE', `expected dense initialisers, got sparse ones: ${names}`);
    }
    const protos = this.#inliner.expand(proto.node);
    const initializers = new Map<string, Tensor>();
    const unusable = new Map<string, string>();
    for (const tensor of proto.initializer) {
      if (initializers.has(tensor.name) || unusable.has(tensor.name)) this.#duplicate(tensor.name);
      if (dtypeOfCode(tensor.dataType) === undefined) unusable.set(tensor.name, nameOfCode(tensor.dataType));
      else initializers.set(tensor.name, this.#tensors.read(tensor, tensor.name));
    }
    const inputs = proto.input
      .filter(({ name }) => !initializers.has(name) && !unusable.has(name))
      .map((input) => this.#input(input));
    const outputs = proto.output.flatMap((output) => this.#output(output) ?? mappedScores(protos, output.name) ?? []);
    const defined = this.#definedNames(protos, inputs, [...initializers.keys(), ...unusable.keys()]);
    const scope = { names: defined, outer };
    const nodes = this.#resolve(
      protos.map((node) => this.#node(node, scope)),
      initializers,
      new Set(outputs.map(({ name }) => name)),
    );
    this.#checkInputs(nodes, outputs, scope);
    const valueInfo = new Map(proto.valueInfo.flatMap((info) => valueOf(info) ?? []).map((info) => [info.name, info]));
    const graph = { name: proto.name, inputs, outputs, initializers, nodes: this.#sorted(nodes), valueInfo };
    const isWhole = unusable.size === 0 && outputs.length === proto.output.length;
    return isWhole ? graph : this.#withoutUnusable(pruneGraph(graph), unusable);
  }

  #refuse(rule: RuleId, message: string): never {
    throw refusal(rule, this.#tensors.source, message);
  }

  #duplicate(name: string): never {
    this.#refuse('ONNX_E_DUPLICATE', `expected each value to be defined once, got ${shown(name)} twice`);
  }

  #input(proto: ValueInfoProto): ValueInfo {
    const value = valueOf(proto);
    if (value !== undefined) return value;
    const type = proto.type?.value;
    const found = type?.case === 'tensorType' ? nameOfCode(type.value.elemType) : (type?.case ?? 'no type');
    return this.#refuse('ONNX_E_INPUT', `expected input ${proto.name} to be a tensor of numbers, got ${found}`);
  }

  /** Outputs that are not numeric tensors (maps, strings) are left out; without any type, float32 is taken. */
  #output(proto: ValueInfoProto): ValueInfo | undefined {
    const isUntyped = proto.type?.value.case === undefined;
    return valueOf(proto) ?? (isUntyped ? { name: proto.name, dtype: 'float32', shape: undefined } : undefined);
  }

  #definedNames(
    nodes: readonly NodeProto[],
    inputs: readonly ValueInfo[],
    tensors: readonly string[],
  ): ReadonlySet<string> {
    const names = new Set<string>(tensors);
    for (const name of [...inputs.map((input) => input.name), ...nodes.flatMap((node) => node.output)]) {
      if (name === '') continue;
      if (names.has(name)) this.#duplicate(name);
      names.add(name);
    }
    return names;
  }

  #node(proto: NodeProto, scope: Scope): GraphNode {
    const where = `${proto.opType} (${proto.name === '' ? (proto.output[0] ?? '') : proto.name})`;
    return {
      name: proto.name === '' ? `${proto.opType}_${proto.output[0] ?? ''}` : proto.name,
      domain: domainOf(proto.domain),
      op: proto.opType,
      inputs: proto.input,
      outputs: proto.output,
      attributes: Object.fromEntries(
        proto.attribute.map((attribute) => [
          attribute.name,
          readAttribute(attribute, where, this.#tensors, (graph) => this.read(graph, scope)),
        ]),
      ),
    };
  }

  /** Turns constants, and copies of initialisers, into initialisers; `initializers` grows. */
  #resolve(
    nodes: readonly GraphNode[],
    initializers: Map<string, Tensor>,
    outputs: ReadonlySet<string>,
  ): readonly GraphNode[] {
    return nodes.filter((node) => {
      const [output] = node.outputs;
      if (node.domain !== '' || output === undefined || outputs.has(output)) return true;
      const copied = node.op === 'Identity' ? initializers.get(node.inputs[0] ?? '') : undefined;
      const tensor = node.op === 'Constant' ? constantOf(node.attributes) : copied;
      if (tensor === undefined) return true;
      initializers.set(output, tensor);
      return false;
    });
  }

  #sorted(nodes: readonly GraphNode[]): readonly GraphNode[] {
    return sortNodes(nodes, ({ op, name }) =>
      this.#refuse('ONNX_E_CYCLE', `expected a graph without cycles, got one through ${op} (${name})`),
    );
  }

  #checkInputs(nodes: readonly GraphNode[], outputs: readonly ValueInfo[], scope: Scope): void {
    const used = [...nodes.flatMap(usesOf), ...outputs.map(({ name }) => name)];
    const missing = new Set(used.filter((name) => !isDefined(name, scope)));
    if (missing.size === 0) return;
    this.#refuse('ONNX_E_DANGLING', `expected every value to be defined, found no source for ${listed([...missing])}`);
  }

  /** Tensors of a type that is not covered matter only where a wanted output needs them. */
  #withoutUnusable(graph: Graph, unusable: ReadonlyMap<string, string>): Graph {
    const used = new Set(graph.nodes.flatMap(usesOf));
    const wanted = [...unusable].filter(([name]) => used.has(name));
    if (wanted.length > 0) {
      const list = listed(wanted.map(([name, type]) => `${name} (${type})`));
      this.#refuse('ONNX_E_ELEMENT_TYPE', `expected tensors of a type that can be computed with, got ${list}`);
    }
    if (graph.outputs.length === 0) {
      this.#refuse('ONNX_E_NO_GRAPH', 'expected an output that is a tensor of numbers, got none');
    }
    return graph;
  }
}
