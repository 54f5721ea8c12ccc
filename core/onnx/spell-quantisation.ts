import { float32, sizeOf, type DType, type Tensor } from '../base/tensor.ts';
import { codeOfDtype } from './element-types.ts';
import type { Attribute, Graph, GraphNode } from './graph.ts';

/** Lowest and highest number of the types that are quantised to. */
export const quantisedRanges: Partial<Record<DType, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/**
 * The graph with QuantizeLinear and DequantizeLinear of one scale written as arithmetic, in the graphs inside nodes, too:
 * the same numbers, but nothing that onnxruntime fuses into integer kernels. Its passes over such pairs move them through
 * what a gradient adds and then refuse what they made. The same graph where there is nothing to write out.
 */
export function spellQuantisation(graph: Graph): Graph {
  if (!mentions(graph)) return graph;
  const initializers = new Map(graph.initializers);
  const used = new Set([...initializers.keys(), ...graph.nodes.flatMap(({ outputs }) => outputs)]);
  const nodes = graph.nodes.flatMap((node) => {
    const inner = inside(node);
    const made = isQuantisation(inner) ? spelled(inner, graph, used) : undefined;
    for (const [name, tensor] of made?.constants ?? []) initializers.set(name, tensor);
    return made?.nodes ?? [inner];
  });
  return { ...graph, nodes, initializers };
}

const isQuantisation = ({ op, domain }: GraphNode): boolean =>
  domain === '' && (op === 'QuantizeLinear' || op === 'DequantizeLinear');

const mentions = (graph: Graph): boolean =>
  graph.nodes.some(
    (node) =>
      isQuantisation(node) ||
      Object.values(node.attributes).some((attribute) => attribute.type === 'graph' && mentions(attribute.value)),
  );

function inside(node: GraphNode): GraphNode {
  const entries = Object.entries(node.attributes);
  if (!entries.some(([, { type }]) => type === 'graph')) return node;
  const spell = (attribute: Attribute): Attribute =>
    attribute.type === 'graph' ? { type: 'graph', value: spellQuantisation(attribute.value) } : attribute;
  return { ...node, attributes: Object.fromEntries(entries.map(([name, value]) => [name, spell(value)])) };
}

interface Spelled {
  readonly nodes: readonly GraphNode[];
  readonly constants: ReadonlyMap<string, Tensor>;
}

/** undefined for scales in plural, and for element types of no known range. */
function spelled(node: GraphNode, graph: Graph, used: Set<string>): Spelled | undefined {
  const [X = '', scale = '', zero = ''] = node.inputs;
  const [Y = ''] = node.outputs;
  if (sizeOf(graph.initializers.get(scale)?.dims ?? []) !== 1) return undefined;
  const nodes: GraphNode[] = [];
  const constants = new Map<string, Tensor>();
  const fresh = (role: string): string => {
    let name = `${Y}/${role}`;
    for (let i = 1; used.has(name); i++) name = `${Y}/${role}_${i}`;
    used.add(name);
    return name;
  };
  const add = (op: string, inputs: readonly string[], to?: DType, output = fresh(op.toLowerCase())): string => {
    const attributes: Record<string, Attribute> = to ? { to: { type: 'int', value: codeOfDtype(to) } } : {};
    nodes.push({ name: output, domain: '', op, inputs, outputs: [output], attributes });
    return output;
  };
  const number = (value: number): string => {
    const name = fresh('bound');
    constants.set(name, float32([], [value]));
    return name;
  };
  const shift = zero === '' ? undefined : add('Cast', [zero], 'float32');
  if (node.op === 'DequantizeLinear') {
    const whole = add('Cast', [X], 'float32');
    add('Mul', [shift === undefined ? whole : add('Sub', [whole, shift]), scale], undefined, Y);
    return { nodes, constants };
  }
  const dtype = zero === '' ? 'uint8' : graph.initializers.get(zero)?.dtype;
  const range = dtype === undefined ? ([0, 255] as const) : quantisedRanges[dtype];
  if (range === undefined || node.attributes['output_dtype'] !== undefined) return undefined;
  const rounded = add('Round', [add('Div', [X, scale])]);
  const shifted = shift === undefined ? rounded : add('Add', [rounded, shift]);
  add('Cast', [add('Clip', [shifted, number(range[0]), number(range[1])])], dtype ?? 'uint8', Y);
  return { nodes, constants };
}
