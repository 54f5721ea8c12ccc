import { invariant, WorkbenchError } from '../base/errors.ts';
import { sizeOf } from '../base/tensor.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';
import { usesOf } from '../onnx/topology.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { NodeAttributes } from './emitter.ts';
import { normalisedConv } from './normalised-conv.ts';
import { fastConv } from './rules/Conv.ts';
import { openLayerNormalization } from './rules/LayerNormalization.ts';

/** What one batch normalisation saw of its batch, in training mode. */
export interface BatchStatistics {
  /** Names of the initialisers that hold the running mean and variance, each [C]. */
  readonly meanName: string;
  readonly varianceName: string;
  /** Of the batch, [C] each; the variance is divided by the count. */
  readonly mean: Value;
  readonly variance: Value;
  /** How many elements of the batch went into each channel's statistics. */
  readonly count: number;
  /** The node's momentum: the share of the old running statistics that stays. */
  readonly momentum: number;
}

export interface InlineOptions {
  /** Graph input name → value; its shape fixes the batch size. */
  readonly inputs: Readonly<Record<string, Value>>;
  /** Initialiser name → value that takes its place: what is trained. */
  readonly parameters?: Readonly<Record<string, Value>>;
  /** In training mode batch normalisation uses the batch, and dropout asks for a mask. */
  readonly mode?: 'inference' | 'training';
  /** A mask of 0 and 1/(1 − ratio); needed in training mode when the graph has a Dropout with ratio > 0. */
  readonly dropoutMask?: (shape: readonly number[], ratio: number, index: number) => Value;
}

export interface Inlined {
  /** By the graph's output names. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** Any inner value by its name in the graph. */
  value(name: string): Value;
  readonly batchStatistics: readonly BatchStatistics[];
}

/** Operators that onnxruntime's own kernel is not the fastest way to compute. */
const fasterWays: Readonly<Record<string, (g: GraphBuilder, plain: Value) => Value>> = {
  Conv: fastConv,
  LayerNormalization: openLayerNormalization,
};

/** Emits a house-opset graph into a builder: shapes become static, shape arithmetic folds away. */
export function inlineGraph(g: GraphBuilder, graph: Graph, options: InlineOptions): Inlined {
  const values = new Map<string, Value>();
  const batchStatistics: BatchStatistics[] = [];
  const training = options.mode === 'training';
  let dropouts = 0;
  for (const input of graph.inputs) {
    const value = options.inputs[input.name];
    if (!value)
      throw new WorkbenchError('SHAPE_MISMATCH', `Graph ${graph.name} needs a value for its input "${input.name}"`);
    values.set(input.name, value);
  }
  const uses = countUses(graph);
  const lookup = (name: string): Value => {
    const known = values.get(name);
    if (known) return known;
    const tensor = graph.initializers.get(name);
    if (!tensor) throw new WorkbenchError('MODEL_UNREADABLE', `Graph ${graph.name} has no value named "${name}"`);
    const value = options.parameters?.[name] ?? g.constant(tensor);
    values.set(name, value);
    return value;
  };
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => (name === '' ? undefined : lookup(name)));
    const attributes = new NodeAttributes(node);
    const set = (outputs: readonly (Value | undefined)[]): void =>
      node.outputs.forEach((name, i) => {
        const value = outputs[i];
        if (value && name !== '') values.set(name, value);
      });
    const [x, scale, bias] = inputs;
    if (training && node.op === 'BatchNormalization' && node.domain === '' && x && scale && bias) {
      const { y, mean, variance } = batchNormalise(g, node, x, scale, bias);
      const [, , , meanName = '', varianceName = ''] = node.inputs;
      const count = sizeOf(x.shape) / (x.shape[1] ?? 1);
      const momentum = attributes.float('momentum', 0.9);
      batchStatistics.push({ meanName, varianceName, mean, variance, count, momentum });
      set([y]);
    } else if (node.op === 'BatchNormalization' && node.domain === '') {
      // A file that was exported in training mode is meant with its running statistics, like PyTorch's eval().
      const { training_mode: _, ...rest } = node.attributes;
      const [, , , mean, variance] = inputs;
      const isAlone = x && scale && bias && mean && variance && uses.get(node.inputs[0] ?? '') === 1;
      const epsilon = attributes.float('epsilon', 1e-5);
      const conv = isAlone ? normalisedConv(g, x, { scale, bias, mean, variance, epsilon }) : undefined;
      set(conv ? [fastConv(g, conv)] : g.op(node.op, inputs, rest, { name: node.name }));
    } else if (node.op === 'Dropout' && node.domain === '' && x) {
      const ratio = training ? ratioOf(node, inputs[1]) : 0;
      if (!training || ratio === 0) set([x]);
      else {
        if (!options.dropoutMask)
          throw new WorkbenchError('INTERNAL', `Dropout ${node.name} needs a mask in training mode`);
        set([g.mul(x, options.dropoutMask(x.shape, ratio, dropouts++))]);
      }
    } else if (x?.producer?.op === 'Relu' && node.op === 'MaxPool' && node.domain === '' && node.outputs.length === 1) {
      // Both orders give the same values and gradients; after the pool, Relu and its mask are a quarter of the work.
      const [pooled] = g.op(node.op, x.producer.inputs, node.attributes, { name: node.name });
      invariant(pooled, 'MaxPool has an output');
      set([g.relu(pooled)]);
    } else if (node.domain === '' && node.outputs.length === 1 && Object.hasOwn(fasterWays, node.op)) {
      const [y] = g.op(node.op, inputs, node.attributes, { name: node.name });
      invariant(y, `${node.op} has an output`);
      set([fasterWays[node.op]?.(g, y)]);
    } else {
      set(
        g.op(node.op, inputs, node.attributes, { name: node.name, domain: node.domain, outputs: node.outputs.length }),
      );
    }
  }
  const outputs = Object.fromEntries(graph.outputs.map(({ name }) => [name, lookup(name)]));
  return { outputs, value: lookup, batchStatistics };
}

/** Masks are made before running, so the ratio must be known by then. */
function ratioOf(node: GraphNode, given: Value | undefined): number {
  if (!given) return 0.5;
  if (given.constant) return Number(given.constant.data[0]);
  throw new WorkbenchError(
    'OP_UNSUPPORTED',
    `Dropout (${node.name}): expected a known ratio to train with, got a computed one`,
    {
      hint: 'Export the model with the ratio as a constant, or train without dropout.',
    },
  );
}

/** How often each value is read, by nodes or as an output. */
function countUses({ nodes, outputs }: Graph): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const reads = [...nodes.flatMap(usesOf), ...outputs.map(({ name }) => name)];
  for (const name of reads) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

/**
 * The training form with momentum 0: its further outputs are the statistics of the batch, which its gradient needs
 * again. onnxruntime writes these outputs over the inputs 3 and 4 (seen in 1.29 and 1.30), so they are throw-away
 * values made from the batch, never the carried running statistics or a shared constant.
 */
function batchNormalise(
  g: GraphBuilder,
  node: GraphNode,
  x: Value,
  scale: Value,
  bias: Value,
): { y: Value; mean: Value; variance: Value } {
  const [, channels = 1, ...spatial] = x.shape;
  const axes = [0, ...spatial.map((_, i) => i + 2)];
  const first = g.slice(
    x,
    axes,
    axes.map(() => 0),
    axes.map(() => 1),
  );
  const scratch = g.reshape(first, [channels]);
  const [y, mean, variance] = g.op(
    node.op,
    [x, scale, bias, scratch, g.neg(scratch)],
    { ...node.attributes, momentum: { type: 'float', value: 0 }, training_mode: { type: 'int', value: 1 } },
    { name: node.name, outputs: 3 },
  );
  invariant(y && mean && variance, 'BatchNormalization has three outputs in training mode');
  return { y, mean, variance };
}
