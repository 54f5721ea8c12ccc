import { toWorkbenchError } from '../base/errors.ts';
import { int64, sizeOf } from '../base/tensor.ts';
import { type GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import { findRule } from '../autodiff/rules/index.ts';
import type { Graph } from '../onnx/graph.ts';
import { countOperations, nodesBehind } from './flops.ts';
import type { CostFacts, Differentiability, NodeName, OrderFacts } from './inspection.ts';
import { flatLogits, meanCrossEntropy, sumOfSquares } from './objective.ts';
import { PlainBuilder } from './plain-builder.ts';
import { followers, sources } from './reach.ts';

/** A graph from images [N, C, H, W] to logits, with what may be trained. */
export interface Differentiated {
  readonly graph: Graph;
  readonly imageShape: readonly number[];
  readonly parameters: readonly string[];
}

/** Nodes between what is differentiated by and the logits whose operator has no gradient rule. */
export function missingRules(graph: Graph, from: Iterable<string>): readonly NodeName[] {
  const [following, leading] = [
    followers(graph, from),
    sources(
      graph,
      graph.outputs.map(({ name }) => name),
    ),
  ];
  return graph.nodes
    .filter(({ op, domain, inputs, outputs }) => {
      const isOnWay = inputs.some((name) => following.has(name)) && outputs.some((name) => leading.has(name));
      return isOnWay && findRule(op, domain) === undefined;
    })
    .map(({ op, name }) => ({ op, node: name }));
}

type Counted = Omit<CostFacts, 'estimate'>;

/**
 * Builds the derivatives of the loss, to the second order, for one image (or the batch that the file is fixed to): that
 * shows whether they exist, and what they cost for one image.
 */
export function tryDerivatives(task: Differentiated): { differentiability: Differentiability; cost: Counted | null } {
  const image = task.graph.inputs[0]?.name ?? '';
  const missing = missingRules(task.graph, [image, ...task.parameters]);
  const images = task.imageShape[0] ?? 1;
  const forward = attempt(() => emitForward(task));
  if (!forward.value) {
    const order = { isPossible: false, missing, reason: forward.reason ?? 'the graph cannot be built' };
    return { differentiability: { order1: order, order2: order }, cost: null };
  }
  const { g, x, parameters, loss, logits } = forward.value;
  const first = attempt(() => gradients(g, loss, [x, ...parameters]));
  const dp = (first.value ?? []).slice(1).filter((value) => value !== undefined);
  const second = first.value && dp.length > 0 ? attempt(() => gradients(g, sumOfSquares(g, dp), [x])) : undefined;
  const [dx] = first.value ?? [];
  const before = nodesBehind([logits]);
  /** Operations for one image beside those of the forward pass. */
  const beside = (values: readonly (Value | undefined)[]): number =>
    countOperations([...nodesBehind(values)].filter((node) => !before.has(node))).flops / images;
  const { multiplyAdds, flops } = countOperations(before);
  const operators = (values: readonly (Value | undefined)[]): number => nodesBehind([logits, ...values]).size;
  const order1 = orderFacts(missing, first.reason, dx !== undefined);
  const d2x = second?.value?.[0];
  return {
    differentiability: {
      order1,
      order2: order1.isPossible ? orderFacts([], second?.reason, d2x !== undefined) : order1,
    },
    cost: {
      multiplyAdds: multiplyAdds / images,
      forwardFlops: flops / images,
      inputGradientFlops: dx ? beside([dx]) : null,
      parameterGradientFlops: dp.length > 0 ? beside(dp) : null,
      secondOrderFlops: d2x ? beside([d2x]) : null,
      operators: {
        forward: before.size,
        inputGradient: dx ? operators([dx]) : null,
        parameterGradient: dp.length > 0 ? operators(dp) : null,
        secondOrder: d2x ? operators([d2x]) : null,
      },
      activations:
        [...before].flatMap(({ outputs }) => outputs).reduce((sum, { shape }) => sum + sizeOf(shape), 0) / images,
    },
  };
}

function orderFacts(missing: readonly NodeName[], reason: string | undefined, hasPath: boolean): OrderFacts {
  const why = reason ?? (hasPath ? undefined : 'nothing that is differentiable leads from the image to the logits');
  const isPossible = missing.length === 0 && why === undefined;
  return { isPossible, missing, ...(why === undefined || missing.length > 0 ? {} : { reason: why }) };
}

interface Forward {
  readonly g: GraphBuilder;
  readonly x: Value;
  readonly parameters: readonly Value[];
  readonly logits: Value;
  readonly loss: Value;
}

function emitForward({ graph, imageShape, parameters }: Differentiated): Forward {
  const g = new PlainBuilder('inspect/');
  const name = graph.inputs[0]?.name ?? '';
  const x = g.input(name, 'float32', imageShape);
  const promoted: Record<string, Value> = {};
  for (const key of parameters) {
    const tensor = graph.initializers.get(key);
    if (tensor) promoted[key] = g.input(`inspect/${key}`, tensor.dtype, tensor.dims);
  }
  const { outputs } = inlineGraph(g, graph, { inputs: { [name]: x }, parameters: promoted });
  const logits = flatLogits(g, outputs[graph.outputs[0]?.name ?? ''] ?? x);
  const labels = g.constant(int64([logits.shape[0] ?? 1], new BigInt64Array(logits.shape[0] ?? 1)));
  return { g, x, parameters: Object.values(promoted), logits, loss: meanCrossEntropy(g, logits, labels) };
}

/** What is not possible is a finding here, not a failure. */
function attempt<T>(make: () => T): { value?: T; reason?: string } {
  try {
    return { value: make() };
  } catch (thrown) {
    return { reason: toWorkbenchError(thrown).message };
  }
}
