import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Attribute, Dim, Graph, GraphNode } from '../onnx/graph.ts';
import { emitRecipe, equalTensors, findRecipe, type Recipe } from './batch-recipe.ts';

/**
 * A builder makes graphs of static shapes. This makes one graph for every batch size out of three that were built at
 * different sizes: they must be the same but for constants, and each constant that differs must follow the batch size by
 * a rule (batch-recipe.ts) that two of the sizes determine and the third confirms. Such constants become small
 * computations from the shape of an input.
 */

/** Primes, so that a batch size is hardly ever a size of something else; each triple is tried until one fits. */
const trials: readonly (readonly [number, number, number])[] = [
  [5, 7, 11],
  [11, 13, 17],
  [17, 19, 23],
  [29, 31, 37],
];

export interface AnyBatch {
  /** The input whose first dimension is the batch size. */
  readonly input: string;
  /** Name of the symbolic dimension. */
  readonly dimension: string;
  /** Begins the names of what is added; no other name may begin so. */
  readonly prefix: string;
}

/** The graph for any batch size, or the reason why there is none. `build` makes it for one size. */
export function generaliseBatch(
  build: (batch: number) => Graph,
  options: AnyBatch,
): { readonly graph: Graph } | { readonly reason: string } {
  let reason = '';
  for (const sizes of trials) {
    const result = generalise(sizes, build, options);
    if (typeof result !== 'string') return { graph: result };
    reason ||= result;
  }
  return { reason };
}

/** One place where a node reads a constant: node index and input index. */
type Slot = `${number}/${number}`;

function generalise(
  sizes: readonly [number, number, number],
  build: (batch: number) => Graph,
  options: AnyBatch,
): Graph | string {
  const first = build(sizes[0]);
  const others: Graph[] = [];
  const matches: Match[] = [];
  for (const size of sizes.slice(1)) {
    const other = build(size);
    const match = matchGraphs(first, other);
    if (typeof match === 'string') return match;
    others.push(other);
    matches.push(match);
  }
  const recipes = new Map<Slot, Recipe>();
  for (const slot of new Set(matches.flatMap(({ differing }) => [...differing.keys()]))) {
    const [node = 0, index = 0] = slot.split('/').map(Number);
    const own = first.initializers.get(first.nodes[node]?.inputs[index] ?? '');
    const tensors = [own, ...matches.map(({ differing }) => differing.get(slot) ?? own)];
    const recipe = findRecipe(sizes, tensors);
    if (!recipe) return `a constant of ${titleOf(first.nodes[node])} follows the batch size in an unknown way`;
    recipes.set(slot, recipe);
  }
  const shapes = first.outputs.map(({ shape }, i) =>
    symbolicShape(sizes, [shape, ...others.map((other) => other.outputs[i]?.shape)], options.dimension),
  );
  return assemble(first, recipes, shapes, options);
}

interface Match {
  /** Constants that are not the same: as the other graph has them. */
  readonly differing: ReadonlyMap<Slot, Tensor>;
}

const titleOf = (node: GraphNode | undefined): string => (node ? `${node.op} (${node.name})` : 'a node');

/** Walks both graphs at once; a text says where they part. */
function matchGraphs(a: Graph, b: Graph): Match | string {
  if (a.nodes.length !== b.nodes.length) return 'the graph has other nodes at other batch sizes';
  const names = new Map(a.inputs.map(({ name }) => [name, name]));
  const differing = new Map<Slot, Tensor>();
  for (const [index, node] of a.nodes.entries()) {
    const other = b.nodes[index];
    if (!other || !sameForm(node, other)) return `${titleOf(node)} has another form at other batch sizes`;
    for (const [i, name] of node.inputs.entries()) {
      const otherName = other.inputs[i] ?? '';
      const tensor = a.initializers.get(name);
      const otherTensor = b.initializers.get(otherName);
      if (tensor && otherTensor) {
        if (!equalTensors(tensor, otherTensor)) differing.set(`${index}/${i}`, otherTensor);
      } else if (tensor || otherTensor || (name !== '' && names.get(name) !== otherName)) {
        return `${titleOf(node)} reads other values at other batch sizes`;
      }
    }
    node.outputs.forEach((name, i) => names.set(name, other.outputs[i] ?? ''));
  }
  return { differing };
}

function sameForm(a: GraphNode, b: GraphNode): boolean {
  const keys = Object.keys(a.attributes);
  return (
    a.op === b.op &&
    a.domain === b.domain &&
    a.inputs.length === b.inputs.length &&
    a.outputs.length === b.outputs.length &&
    keys.length === Object.keys(b.attributes).length &&
    keys.every((key) => sameAttribute(a.attributes[key], b.attributes[key]))
  );
}

function sameAttribute(a: Attribute | undefined, b: Attribute | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a.type === 'tensor' && b.type === 'tensor') return equalTensors(a.value, b.value);
  // A graph inside a node is the file's own, and the same object each time.
  if (a.type === 'graph' || b.type === 'graph') return a.value === b.value;
  return a.type === b.type && JSON.stringify(a.value) === JSON.stringify(b.value);
}

function symbolicShape(
  sizes: readonly number[],
  shapes: readonly (readonly Dim[] | undefined)[],
  dimension: string,
): readonly Dim[] | undefined {
  return shapes[0]?.map((dim, axis) => {
    const dims = shapes.map((shape) => shape?.[axis]);
    if (dims.every((other) => other === dim)) return dim;
    return dims.every((other, i) => other === sizes[i]) ? dimension : '';
  });
}

function assemble(
  graph: Graph,
  recipes: ReadonlyMap<Slot, Recipe>,
  shapes: readonly (readonly Dim[] | undefined)[],
  options: AnyBatch,
): Graph {
  const initializers = new Map(graph.initializers);
  const made: GraphNode[] = [];
  const known = new Map<string, string>();
  const nodes = graph.nodes.map((node, index) => {
    const inputs = node.inputs.map((name, i) => {
      const recipe = recipes.get(`${index}/${i}`);
      if (!recipe) return name;
      const tensor = node.op === 'Reshape' && i === 1 ? restOfReshape(recipe) : undefined;
      const key = JSON.stringify(tensor ? Array.from(tensor.data, Number) : recipe);
      let value = known.get(key);
      if (value === undefined) {
        value = `${options.prefix}batch_${known.size}`;
        known.set(key, value);
        if (tensor) initializers.set(value, tensor);
        else emitRecipe(recipe, value, { ...options, initializers, nodes: made });
      }
      return value;
    });
    return inputs.every((name, i) => name === node.inputs[i]) ? node : { ...node, inputs };
  });
  const used = new Set([...made, ...nodes].flatMap(({ inputs }) => inputs));
  return {
    ...graph,
    outputs: graph.outputs.map((output, i) => ({ ...output, shape: shapes[i] })),
    initializers: new Map([...initializers].filter(([name]) => used.has(name))),
    nodes: [...made, ...nodes],
  };
}

/** A target of Reshape with one size that follows the batch: −1 says the same without a computation. */
function restOfReshape(recipe: Recipe): Tensor | undefined {
  if (recipe.kind !== 'ints') return undefined;
  const { dims, scale, offset } = recipe;
  const following = scale.filter((factor) => factor !== 0).length;
  const others = offset.filter((_, i) => scale[i] === 0);
  if (following !== 1 || dims.length !== 1 || others.some((size) => size <= 0)) return undefined;
  const data = BigInt64Array.from(offset, (size, i) => BigInt(scale[i] === 0 ? size : -1));
  return { dtype: 'int64', dims: [sizeOf(dims)], data };
}
