import { isFloatDtype } from '../onnx/element-types.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';
import { usesHalf } from '../onnx/normalise/half-precision.ts';
import { intOf } from '../onnx/normalise/lift.ts';
import { findRule } from '../autodiff/rules/index.ts';
import type { NodeName, Warning } from './inspection.ts';
import { followers, sources } from './reach.ts';

const random = /^(Random(Normal|Uniform)(Like)?|Bernoulli|Multinomial)$/;
const quantised =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantize\w*|QLinear\w+|\w+Integer|QAttention|QGemm|MatMulNBits)$/;
/** Of those, what is not rewritten by core/onnx/normalise/quantised.ts. */
const opaque = /^(DynamicQuantize(?!Linear$)\w*|MatMulIntegerToFloat|QAttention|MatMulNBits)$/;
const comparison = /^(Greater|GreaterOrEqual|Less|LessOrEqual|Equal|IsNaN|IsInf)$/;
const branching = new Set(['If', 'Loop', 'Scan']);
/** Results that choose among values: how they were found has no derivative, what they choose has. */
const choosing = new Set(['ArgMax', 'ArgMin', 'NonZero', 'OneHot']);

/** The graphs inside nodes, too: what is hidden there counts as well. */
function allNodes(graph: Graph): readonly GraphNode[] {
  return graph.nodes.flatMap((node) => [
    node,
    ...Object.values(node.attributes).flatMap((attribute) =>
      attribute.type === 'graph' ? allNodes(attribute.value) : [],
    ),
  ]);
}

const named = (nodes: readonly GraphNode[]): readonly NodeName[] => nodes.map(({ op, name }) => ({ op, node: name }));

/**
 * What a user of the model should know. `graph` is the model's, in any operator set; `image` its image input, `logits` its
 * scores, where they are known.
 */
export function findWarnings(graph: Graph, image: string | undefined, logits: string | undefined): readonly Warning[] {
  const nodes = allNodes(graph);
  const start = image ?? graph.inputs[0]?.name ?? '';
  const following = followers(graph, [start]);
  const leading = sources(graph, logits === undefined ? graph.outputs.map(({ name }) => name) : [logits]);
  const onWay = graph.nodes.filter(
    (node) => node.inputs.some((name) => following.has(name)) && node.outputs.some((name) => leading.has(name)),
  );
  const warn = (code: Warning['code'], found: readonly GraphNode[], message: string): readonly Warning[] =>
    found.length === 0 ? [] : [{ code, message, nodes: named(found) }];
  return [
    ...warn(
      'randomness',
      nodes.filter((node) => random.test(node.op) || isDroppingOut(graph, node)),
      'The model draws random numbers: the same image gives different logits each time.',
    ),
    ...warn(
      'training-batch-norm',
      onWay.filter((node) => node.op === 'BatchNormalization' && intOf(node, 'training_mode', 0) !== 0),
      'Batch normalisation uses the statistics of the batch: the logits of an image hang on the other images. Export in evaluation mode.',
    ),
    ...warn(
      'input-branch',
      onWay.filter((node) => (comparison.test(node.op) && !asksSoftmax(graph, node)) || branching.has(node.op)),
      'What the model computes is gated by comparisons on values that come from the image. Gradients do not see such branches; a hidden trigger would look like this, and so do ordinary activations and masks.',
    ),
    ...warn(
      'zero-gradient',
      onWay.filter((node) => isStep(graph, node)),
      'The derivative of these steps is zero almost everywhere: no gradient passes them.',
    ),
    ...warn(
      'quantised',
      nodes.filter(({ op }) => quantised.test(op) && !opaque.test(op)),
      'Parts of the model are quantised. They are computed with real numbers that are rounded as the file says, and gradients pass straight through the rounding, as in PyTorch’s fake quantisation: they are not slopes of what the model computes. Where that matters, use the model before quantisation.',
    ),
    ...warn(
      'quantised',
      nodes.filter(({ op }) => opaque.test(op)),
      'Parts of the model are quantised in a form that is not covered. Use the model before quantisation.',
    ),
    ...(usesHalf(graph) ? [halfPrecision] : []),
    ...warn(
      'custom-operator',
      nodes.filter(({ domain, op }) => domain !== '' && !quantised.test(op)),
      'The model uses operators outside of the ONNX standard, which are not covered.',
    ),
  ];
}

const halfPrecision: Warning = {
  code: 'half-precision',
  message:
    'The model is in half precision, at least in part. Its weights are taken as they are rounded; everything is computed in single precision, so logits differ a little from those of the file.',
  nodes: [],
};

/** A Dropout that is on: of operator set 12 and later by its third input, before that by an attribute that went away. */
function isDroppingOut(graph: Graph, node: GraphNode): boolean {
  if (node.op !== 'Dropout') return false;
  const mode = graph.initializers.get(node.inputs[2] ?? '');
  return mode?.data[0] === 1 || intOf(node, 'training_mode', 0) !== 0;
}

/** PyTorch's attention asks whether a row of a softmax was masked altogether, which no image brings about. */
const asksSoftmax = (graph: Graph, { op, inputs }: GraphNode): boolean =>
  op === 'IsNaN' && graph.nodes.some((node) => node.op === 'Softmax' && node.outputs[0] === inputs[0]);

/** Declared to have no derivative, and giving numbers rather than places or truth values. */
function isStep(graph: Graph, node: GraphNode): boolean {
  if (findRule(node.op, node.domain)?.kind !== 'zero' || comparison.test(node.op) || choosing.has(node.op))
    return false;
  const [output = ''] = node.outputs;
  const known = graph.valueInfo.get(output) ?? graph.outputs.find(({ name }) => name === output);
  const isTruth = /^(And|Or|Xor|Not|Bitwise\w+|BitShift)$/.test(node.op);
  return (
    !isTruth &&
    (known === undefined || isFloatDtype(known.dtype)) &&
    !/^(Shape|Size|Range|ConstantOfShape|EyeLike)$/.test(node.op)
  );
}

/** Trainable initialisers that several nodes read. */
export function sharedParameters(graph: Graph, parameters: readonly string[]): readonly Warning[] {
  const uses = new Map<string, number>();
  for (const node of graph.nodes) for (const name of new Set(node.inputs)) uses.set(name, (uses.get(name) ?? 0) + 1);
  const shared = parameters.filter((name) => (uses.get(name) ?? 0) > 1);
  if (shared.length === 0) return [];
  const shown = shared.slice(0, 4).join(', ') + (shared.length > 4 ? ` and ${shared.length - 4} more` : '');
  const message =
    'Parameters with several uses, merged by the exporter for their equal content or really shared: ' +
    `${shown}. The gradient of each is the sum over its uses.`;
  return [{ code: 'shared-parameters', message, nodes: [] }];
}
