import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorShapeProto,
  ValueInfoProto,
} from '../proto/onnx_pb.generated.ts';
import { listed, refusal, shown, type Source } from '../read/problem.ts';
import { domainOf, functionKey, knownDomains } from './domains.ts';
import { checkFunctions } from './functions.ts';
import type { Limits } from './limits.ts';
import type { RuleId } from './rules.ts';

/** Characters that change what a reader sees of a name: control, direction, line ends, marks of byte order. */
const deceiving = /[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/**
 * The rules that need nothing but the messages of the file: operator set, names, domains, functions, places of graphs.
 * Throws the error of the first rule that is broken.
 */
export function checkModelProto(proto: ModelProto, source: Source, limits: Limits): void {
  new ModelCheck(proto, source, limits).run();
}

class ModelCheck {
  readonly #proto: ModelProto;
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #strangers = new Set<string>();

  constructor(proto: ModelProto, source: Source, limits: Limits) {
    this.#proto = proto;
    this.#source = source;
    this.#limits = limits;
    this.#functions = new Map(proto.functions.map((f) => [functionKey(f.domain, f.name, f.overload), f]));
  }

  run(): void {
    const { graph, functions } = this.#proto;
    if (graph === undefined || graph.output.length === 0) {
      this.#refuse('ONNX_E_NO_GRAPH', 'expected an ONNX model with a graph that has outputs, got none');
    }
    this.#checkOpsets();
    if (this.#functions.size < functions.length) {
      this.#refuse(
        'ONNX_E_DUPLICATE',
        `expected functions of different names, got ${listed(functions.map((f) => f.name))}`,
      );
    }
    this.#graph(graph);
    for (const f of functions) {
      this.#names('function', [f.name, f.domain, f.overload, ...f.input, ...f.output, ...f.attribute]);
      for (const attribute of f.attributeProto) this.#attribute(attribute, undefined);
      for (const node of f.node) this.#node(node);
    }
    if (this.#strangers.size > 0) {
      this.#refuse('ONNX_E_DOMAIN', `expected standard operators, got ${listed([...this.#strangers])}`);
    }
    checkFunctions(this.#functions, graph, this.#source, this.#limits);
  }

  #refuse(rule: RuleId, message: string): never {
    throw refusal(rule, this.#source, message);
  }

  #checkOpsets(): void {
    const { opsetImport, functions } = this.#proto;
    const domains = opsetImport.map(({ domain }) => domainOf(domain));
    if (new Set(domains).size < domains.length) {
      this.#refuse('ONNX_E_OPSET', `expected one version of each operator set, got ${listed(domains)}`);
    }
    this.#names('operator set', domains);
    const opset = opsetOf(opsetImport);
    if (opset === undefined || opset < 1n || opset > 10_000n) {
      this.#refuse('ONNX_E_OPSET', `expected the version of the operator set, got ${opset ?? 'none'}`);
    }
    const others = functions.filter((f) => (opsetOf(f.opsetImport) ?? opset) !== opset);
    if (others.length > 0) {
      const names = listed(others.map((f) => f.name));
      this.#refuse('ONNX_E_OPSET', `functions ${names} use another operator set than the model (${opset})`);
    }
  }

  #names(what: string, names: readonly string[]): void {
    for (const name of names) {
      if (name === '__proto__') this.#refuse('ONNX_E_NAME', `expected no ${what} of the name __proto__`);
      if (deceiving.test(name)) {
        this.#refuse('ONNX_E_NAME', `expected ${what} names without control characters, got "${shown(name)}"`);
      }
    }
  }

  #values(what: string, values: readonly ValueInfoProto[]): void {
    for (const { name, type } of values) {
      if (name === '' && what !== 'value') {
        this.#refuse('ONNX_E_NAME', `expected each ${what} to have a name, got one without`);
      }
      this.#names(what, [name]);
      const shape = type?.value.case === 'tensorType' ? type.value.value.shape : undefined;
      if (shape !== undefined) this.#shape(name, shape);
    }
  }

  /** Sizes below 0 are let through: some exporters write −1 for a free one. */
  #shape(name: string, { dim: dims }: TensorShapeProto): void {
    const { rank, dim: largest } = this.#limits;
    if (dims.length > rank) {
      this.#refuse('ONNX_E_DIMS', `expected at most ${rank} sizes for ${shown(name)}, got ${dims.length}`);
    }
    for (const { value } of dims) {
      if (value.case === 'dimParam') this.#names('dimension', [value.value]);
      if (value.case === 'dimValue' && value.value > largest) {
        this.#refuse('ONNX_E_DIMS', `expected sizes up to ${largest} for ${shown(name)}, got ${value.value}`);
      }
    }
  }

  #graph(graph: GraphProto): void {
    this.#names('graph', [graph.name]);
    this.#values('input', graph.input);
    this.#values('output', graph.output);
    this.#values('value', graph.valueInfo);
    for (const { name } of graph.initializer) {
      if (name === '') this.#refuse('ONNX_E_NAME', 'expected each weight to have a name, got one without');
      this.#names('weight', [name]);
    }
    for (const node of graph.node) this.#node(node);
  }

  #node(node: NodeProto): void {
    const { opType, domain, overload, name, input, output, attribute } = node;
    this.#names('node', [opType, domain, overload, name]);
    this.#names('value', input);
    this.#names('value', output);
    const isCall = this.#functions.has(functionKey(domain, opType, overload));
    if (!isCall && !knownDomains.has(domainOf(domain))) this.#strangers.add(`${domain}.${opType}`);
    const names = new Set(attribute.map((one) => one.name));
    if (names.size < attribute.length) {
      this.#refuse('ONNX_E_DUPLICATE', `expected attributes of different names at ${shown(opType)} (${shown(name)})`);
    }
    for (const one of attribute) this.#attribute(one, isCall ? undefined : node);
  }

  /** `node` is what holds the attribute, unless it is a function or the call of one. */
  #attribute(attribute: AttributeProto, node: NodeProto | undefined): void {
    const { name, refAttrName, g, graphs } = attribute;
    this.#names('attribute', [name, refAttrName]);
    if (name === '') this.#refuse('ONNX_E_NAME', 'expected each attribute to have a name, got one without');
    const inside = g === undefined ? graphs : [g, ...graphs];
    if (inside.length === 0) return;
    if (node !== undefined && !mayHoldGraph(node, name)) {
      const where = `${node.domain === '' ? '' : `${node.domain}.`}${node.opType} (${node.name})`;
      this.#refuse('ONNX_E_SUBGRAPH', `expected no graph in attribute ${shown(name)} of ${shown(where)}`);
    }
    for (const graph of inside) this.#graph(graph);
  }
}

const graphAttributes: ReadonlyMap<string, readonly string[]> = new Map([
  ['If', ['then_branch', 'else_branch']],
  ['Loop', ['body']],
  ['Scan', ['body']],
]);

const mayHoldGraph = ({ domain, opType }: NodeProto, attribute: string): boolean =>
  domainOf(domain) === '' && (graphAttributes.get(opType)?.includes(attribute) ?? false);

function opsetOf(imports: readonly { domain: string; version: bigint }[]): bigint | undefined {
  return imports.find(({ domain }) => domainOf(domain) === '')?.version;
}
