import { invariant } from '../base/errors.ts';
import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';
import { constant, initialise, uniform, type Initialiser } from '../train/initialise.ts';
import { runningStatistics, trainableParameters } from '../train/parameters.ts';

/**
 * Where the weights come from. 'file': as they are. 'uniform': every weight, scale and bias from U(−bound, bound), the rule
 * of the gradient leakage papers. 'torch-default': weights and biases from U(±1/√fanIn), scales 1, shifts 0. The last two
 * set running statistics to mean 0 and variance 1, and depend on the seed and the parameter's name only.
 */
export type WeightRule =
  | { readonly kind: 'file' }
  | { readonly kind: 'uniform'; readonly bound: number; readonly seed: number }
  | { readonly kind: 'torch-default'; readonly seed: number };

/** The graph with its trainable parameters drawn anew by the rule. */
export function withWeights(graph: Graph, rule: WeightRule): Graph {
  if (rule.kind === 'file') return graph;
  const roles = rule.kind === 'torch-default' ? rolesOf(graph) : undefined;
  const initializers = new Map(graph.initializers);
  for (const { name, dims } of trainableParameters(graph)) {
    const how = rule.kind === 'uniform' ? uniform(-rule.bound, rule.bound) : initialiserFor(roles?.get(name), dims);
    initializers.set(name, initialise(rule.seed, name, dims, how));
  }
  for (const { mean, variance } of runningStatistics(graph)) {
    for (const [name, value] of [
      [mean, 0],
      [variance, 1],
    ] as const) {
      const dims = initializers.get(name)?.dims;
      invariant(dims, `${graph.name} has the running statistics ${name}`);
      initializers.set(name, initialise(rule.seed, name, dims, constant(value)));
    }
  }
  return { ...graph, initializers };
}

/** What a parameter is in its layer: one of a linear map of `fanIn` inputs, a scale, or a shift. */
type Role =
  { readonly kind: 'linear'; readonly fanIn: number } | { readonly kind: 'scale' } | { readonly kind: 'shift' };

function initialiserFor(role: Role | undefined, dims: readonly number[]): Initialiser {
  if (role?.kind === 'scale') return constant(1);
  if (role?.kind === 'shift') return constant(0);
  const bound = 1 / Math.sqrt(role?.fanIn ?? sizeOf(dims.slice(1)));
  return uniform(-bound, bound);
}

const norms = new Set(['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'LayerNormalization']);
const rearranging = new Set(['Identity', 'Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);

/** Walks the graph once: which initialiser (seen through transposes) is what in the layer that uses it first. */
function rolesOf(graph: Graph): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  const origin = new Map<string, { readonly name: string; readonly turned: boolean }>();
  for (const name of graph.initializers.keys()) origin.set(name, { name, turned: false });
  /** Value → inputs of the linear map that made it, for a bias that is added behind it. */
  const mapped = new Map<string, number>();
  const set = (name: string | undefined, role: Role): void => {
    const source = origin.get(name ?? '')?.name;
    if (source !== undefined && !roles.has(source)) roles.set(source, role);
  };
  for (const node of graph.nodes) {
    const [x = '', y = '', z] = node.inputs;
    const [output = ''] = node.outputs;
    const from = origin.get(x);
    if (rearranging.has(node.op) && from) {
      origin.set(output, { name: from.name, turned: from.turned !== (node.op === 'Transpose') });
      continue;
    }
    const fanIn = fanInOf(node, origin.get(y), graph.initializers);
    if (fanIn !== undefined) {
      set(y, { kind: 'linear', fanIn });
      set(z, { kind: 'linear', fanIn });
      mapped.set(output, fanIn);
    } else if (norms.has(node.op)) {
      set(y, { kind: 'scale' });
      set(z, { kind: 'shift' });
    } else if (node.op === 'Add' || node.op === 'Mul') {
      const other = [x, y].find((name) => !origin.has(name));
      const behind = mapped.get(other ?? '');
      const role: Role =
        node.op === 'Mul'
          ? { kind: 'scale' }
          : behind === undefined
            ? { kind: 'shift' }
            : { kind: 'linear', fanIn: behind };
      set(x, role);
      set(y, role);
    }
  }
  return roles;
}

/** Inputs that one output of a Conv, Gemm or MatMul with a constant weight sees; undefined for anything else. */
function fanInOf(
  node: GraphNode,
  weight: { readonly name: string; readonly turned: boolean } | undefined,
  initializers: ReadonlyMap<string, Tensor>,
): number | undefined {
  const dims = initializers.get(weight?.name ?? '')?.dims;
  if (!weight || !dims || node.domain !== '') return undefined;
  if (node.op === 'Conv' || node.op === 'ConvTranspose') return sizeOf(dims.slice(1));
  if (node.op !== 'Gemm' && node.op !== 'MatMul') return undefined;
  const transB = node.attributes['transB'];
  const isOutFirst = weight.turned !== (node.op === 'Gemm' && transB?.type === 'int' && transB.value !== 0);
  return dims.at(isOutFirst ? -1 : -2);
}
