import type { Graph, GraphNode } from '../onnx/graph.ts';
import { consumersOf } from '../onnx/topology.ts';

/** input → scale · input + shift before the first layer, as (input − mean) / std. */
export interface InGraphNormalisation {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly nodes: readonly string[];
}

const elementwise = new Set(['Sub', 'Div', 'Mul', 'Add']);
const passing = new Set(['Cast', 'Identity', 'Transpose']);

/** The arithmetic that a graph does with its images before the first layer; null when there is none. */
export function inGraphNormalisation(graph: Graph): InGraphNormalisation | null {
  const consumers = consumersOf(graph);
  let scale: readonly number[] = [1];
  let shift: readonly number[] = [0];
  const nodes: string[] = [];
  let name = graph.inputs[0]?.name ?? '';
  for (;;) {
    const [node, ...others] = consumers.get(name) ?? [];
    if (!node || others.length > 0) break;
    if (!passing.has(node.op)) {
      const step = stepOf(graph, node, name);
      if (!step) break;
      nodes.push(node.name);
      scale = combine(scale, step.factor, (a, b) => a * b);
      shift = combine(
        combine(shift, step.factor, (a, b) => a * b),
        step.summand,
        (a, b) => a + b,
      );
    }
    name = node.outputs[0] ?? '';
  }
  if (nodes.length === 0 || scale.includes(0)) return null;
  const tidy = (values: readonly number[]): number[] => values.map((value) => Number(value.toPrecision(6)));
  return {
    mean: tidy(combine(shift, scale, (b, a) => (b === 0 ? 0 : -b / a))),
    std: tidy(scale.map((value) => 1 / value)),
    nodes,
  };
}

interface Step {
  readonly factor: readonly number[];
  readonly summand: readonly number[];
}

/** y = factor · x + summand with constants for each channel, or undefined. */
function stepOf(graph: Graph, node: GraphNode, name: string): Step | undefined {
  if (!elementwise.has(node.op)) return undefined;
  const isFirst = node.inputs[0] === name;
  const constant = graph.initializers.get(node.inputs[isFirst ? 1 : 0] ?? '');
  if (!constant?.dtype.startsWith('float') || constant.dtype === 'float16' || constant.data.length > 64)
    return undefined;
  const values = Array.from<number | bigint, number>(constant.data, Number);
  const none = [0];
  switch (node.op) {
    case 'Add':
      return { factor: [1], summand: values };
    case 'Sub':
      return isFirst ? { factor: [1], summand: values.map((value) => -value) } : { factor: [-1], summand: values };
    case 'Mul':
      return { factor: values, summand: none };
    case 'Div':
      return isFirst ? { factor: values.map((value) => 1 / value), summand: none } : undefined;
    default:
      return undefined;
  }
}

function combine(
  a: readonly number[],
  b: readonly number[],
  make: (a: number, b: number) => number,
): readonly number[] {
  const length = Math.max(a.length, b.length);
  const at = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i] ?? 0;
  return Array.from({ length }, (_, i) => make(at(a, i), at(b, i)));
}
