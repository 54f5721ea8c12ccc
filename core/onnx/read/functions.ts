import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../proto/onnx_pb.generated.ts';
import { functionKey } from '../validate/domains.ts';

interface Scope {
  readonly rename: (name: string) => string;
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/**
 * Puts the bodies of the file's own functions where they are called, at any depth. That this ends, and in what size, has
 * been checked before (validate/functions.ts).
 */
export class FunctionInliner {
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  /** Sorted. */
  readonly #taken: readonly string[];
  #callCount = 0;

  constructor(model: ModelProto) {
    this.#functions = new Map(model.functions.map((f) => [functionKey(f.domain, f.name, f.overload), f]));
    this.#taken = this.#functions.size === 0 ? [] : namesOf(model);
  }

  /** The nodes with calls replaced, also inside their subgraphs. */
  expand(nodes: readonly NodeProto[]): NodeProto[] {
    if (this.#functions.size === 0) return [...nodes];
    return nodes.flatMap((node) => {
      const body = this.#functions.get(functionKey(node.domain, node.opType, node.overload));
      return body === undefined ? [node] : this.expand(this.#bodyOf(node, body));
    });
  }

  #freshPrefix(node: NodeProto): string {
    for (;;) {
      const prefix = `${node.name === '' ? node.opType : node.name}/${this.#callCount++}/`;
      if (!someStartsWith(this.#taken, prefix)) return prefix;
    }
  }

  #bodyOf(call: NodeProto, body: FunctionProto): NodeProto[] {
    const prefix = this.#freshPrefix(call);
    const names = new Map<string, string>();
    body.input.forEach((name, i) => names.set(name, call.input[i] ?? ''));
    body.output.forEach((name, i) => {
      const target = call.output[i] ?? '';
      if (target !== '') names.set(name, target);
    });
    const scope: Scope = {
      rename: (name) => (name === '' ? '' : (names.get(name) ?? `${prefix}${name}`)),
      attributes: new Map([...body.attributeProto, ...call.attribute].map((attribute) => [attribute.name, attribute])),
    };
    const nodes = body.node.map((node) => renameNode(node, scope, prefix));
    // A function may return an input as it is.
    const passed = body.output.flatMap((name, i) => {
      const target = call.output[i] ?? '';
      if (target === '' || !body.input.includes(name)) return [];
      const input = call.input[body.input.indexOf(name)] ?? '';
      return [
        create(NodeProtoSchema, { opType: 'Identity', input: [input], output: [target], name: `${prefix}${name}` }),
      ];
    });
    return [...nodes, ...passed];
  }
}

function namesOf(model: ModelProto): readonly string[] {
  const names = new Set<string>();
  for (const { input, output } of model.graph?.node ?? []) {
    for (const name of input) names.add(name);
    for (const name of output) names.add(name);
  }
  return [...names].sort();
}

/** Of sorted names the first that is not before the prefix is the one to look at. */
function someStartsWith(sorted: readonly string[], prefix: string): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < prefix) low = middle + 1;
    else high = middle;
  }
  return sorted[low]?.startsWith(prefix) ?? false;
}

function renameNode(node: NodeProto, scope: Scope, prefix: string): NodeProto {
  return create(NodeProtoSchema, {
    name: `${prefix}${node.name === '' ? node.opType : node.name}`,
    domain: node.domain,
    opType: node.opType,
    overload: node.overload,
    input: node.input.map(scope.rename),
    output: node.output.map(scope.rename),
    attribute: node.attribute.flatMap((attribute) => renameAttribute(attribute, scope, prefix)),
  });
}

/**
 * Fills in a reference to an attribute of the call (none given: left out) and renames inside a subgraph. Copies are
 * shallow: a function that is called a thousand times must not hold its tensors a thousand times.
 */
function renameAttribute(attribute: AttributeProto, scope: Scope, prefix: string): AttributeProto[] {
  if (attribute.refAttrName !== '') {
    const given = scope.attributes.get(attribute.refAttrName);
    if (given === undefined) return [];
    return [Object.assign(create(AttributeProtoSchema), given, { name: attribute.name })];
  }
  if (attribute.g === undefined) return [attribute];
  return [Object.assign(create(AttributeProtoSchema), attribute, { g: renameGraph(attribute.g, scope, prefix) })];
}

/** A subgraph with all its values renamed. */
function renameGraph(graph: GraphProto, scope: Scope, prefix: string): GraphProto {
  const value = <T extends GraphProto['input'][number]>(info: T) =>
    Object.assign(create(ValueInfoProtoSchema), info, { name: scope.rename(info.name) });
  return Object.assign(create(GraphProtoSchema), graph, {
    node: graph.node.map((node) => renameNode(node, scope, prefix)),
    input: graph.input.map(value),
    output: graph.output.map(value),
    valueInfo: graph.valueInfo.map(value),
    initializer: graph.initializer.map((tensor) =>
      Object.assign(create(TensorProtoSchema), tensor, { name: scope.rename(tensor.name) }),
    ),
  });
}
