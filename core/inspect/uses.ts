import type { Graph } from '../onnx/graph.ts';

/** One node that reads an initialiser. */
export interface Use {
  /** Initialiser name that stands for this use alone. */
  readonly key: string;
  readonly node: string;
}

/**
 * The graph in which every node that reads one of `names` reads an initialiser of its own, so that the derivative can be
 * taken at each use apart. The first use, in the order of the nodes, keeps the name.
 */
export function splitUses(
  graph: Graph,
  names: ReadonlySet<string>,
): { readonly graph: Graph; readonly uses: ReadonlyMap<string, readonly Use[]> } {
  const taken = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name)]);
  for (const node of graph.nodes) for (const name of node.outputs) taken.add(name);
  const initializers = new Map(graph.initializers);
  const uses = new Map<string, Use[]>();
  const keyFor = (name: string, count: number): string => {
    if (count === 0) return name;
    let key = `${name}/use_${count + 1}`;
    while (taken.has(key)) key += '_';
    taken.add(key);
    const tensor = graph.initializers.get(name);
    if (tensor) initializers.set(key, tensor);
    return key;
  };
  const nodes = graph.nodes.map((node) => {
    const own = new Map<string, string>();
    for (const name of new Set(node.inputs)) {
      if (!names.has(name) || !graph.initializers.has(name)) continue;
      const known = uses.get(name) ?? [];
      const use = { key: keyFor(name, known.length), node: node.name };
      uses.set(name, [...known, use]);
      own.set(name, use.key);
    }
    return own.size === 0 ? node : { ...node, inputs: node.inputs.map((name) => own.get(name) ?? name) };
  });
  return { graph: { ...graph, nodes, initializers }, uses };
}
