import { clone, create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type FunctionProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  NodeProtoSchema,
} from '../proto/onnx_pb.generated.ts';
import { type Source, unreadable, unsupportedPart } from './problem.ts';

/** A file whose functions unfold to more is taken for an attack on memory. */
const nodeLimit = 1_000_000;
const depthLimit = 64;

/** The standard domain has two spellings. */
export const domainOf = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

const keyOf = (domain: string, name: string, overload: string): string => `${domainOf(domain)}\n${name}\n${overload}`;

interface Scope {
  readonly rename: (name: string) => string;
  readonly attributes: ReadonlyMap<string, AttributeProto>;
}

/** Puts the bodies of the file's own functions where they are called, at any depth. */
export class FunctionInliner {
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #source: Source;
  readonly #taken: Set<string>;
  #nodeCount = 0;
  #callCount = 0;

  constructor(model: ModelProto, source: Source) {
    this.#functions = new Map(model.functions.map((f) => [keyOf(f.domain, f.name, f.overload), f]));
    this.#source = source;
    this.#taken = namesOf(model);
    const opset = opsetOf(model.opsetImport);
    const strangers = model.functions.filter((f) => (opsetOf(f.opsetImport) ?? opset) !== opset);
    if (strangers.length > 0) {
      const names = strangers.map((f) => f.name).join(', ');
      throw unsupportedPart(
        source,
        `functions ${names} use another operator set than the model (${opset})`,
        'Export with one opset.',
      );
    }
  }

  /** The nodes with calls replaced, also inside their subgraphs. */
  expand(nodes: readonly NodeProto[], depth = 0): NodeProto[] {
    if (this.#functions.size === 0) return [...nodes];
    if (depth > depthLimit) throw unreadable(this.#source, `expected functions nested at most ${depthLimit} deep`);
    return nodes.flatMap((node) => {
      const body = this.#functions.get(keyOf(node.domain, node.opType, node.overload));
      if (body !== undefined) return this.expand(this.#bodyOf(node, body), depth + 1);
      this.#nodeCount++;
      if (this.#nodeCount > nodeLimit)
        throw unreadable(this.#source, `expected at most ${nodeLimit} nodes after inlining functions`);
      return [node];
    });
  }

  #freshPrefix(node: NodeProto): string {
    for (;;) {
      const prefix = `${node.name === '' ? node.opType : node.name}/${this.#callCount++}/`;
      if (![...this.#taken].some((name) => name.startsWith(prefix))) return prefix;
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

function opsetOf(imports: readonly { domain: string; version: bigint }[]): bigint | undefined {
  return imports.find(({ domain }) => domainOf(domain) === '')?.version;
}

function namesOf(model: ModelProto): Set<string> {
  return new Set((model.graph?.node ?? []).flatMap((node) => [...node.input, ...node.output]));
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

/** Fills in a reference to an attribute of the call (none given: left out) and renames inside a subgraph. */
function renameAttribute(attribute: AttributeProto, scope: Scope, prefix: string): AttributeProto[] {
  if (attribute.refAttrName !== '') {
    const given = scope.attributes.get(attribute.refAttrName);
    if (given === undefined) return [];
    const filled = clone(AttributeProtoSchema, given);
    filled.name = attribute.name;
    return [filled];
  }
  if (attribute.g === undefined) return [attribute];
  const copy = clone(AttributeProtoSchema, attribute);
  if (copy.g !== undefined) renameGraph(copy.g, scope, prefix);
  return [copy];
}

/** Renames all values of a subgraph that has just been cloned. */
function renameGraph(graph: GraphProto, scope: Scope, prefix: string): void {
  graph.node = graph.node.map((node) => renameNode(node, scope, prefix));
  for (const value of [...graph.input, ...graph.output, ...graph.valueInfo, ...graph.initializer]) {
    value.name = scope.rename(value.name);
  }
}
