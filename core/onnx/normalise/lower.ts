import type { GraphNode } from '../graph.ts';
import { attention, rmsNormalization, rotaryEmbedding } from './attention.ts';
import { floatOf, withAttributes } from './lift.ts';
import { float32 } from '../../base/tensor.ts';
import type { LiftScope } from './lift.ts';

/** Rewrites a node of an operator set newer than the house's; ops that are not in the table passed on unchanged. */
type Lower = (node: GraphNode, scope: LiftScope) => readonly GraphNode[];

/** Y = X·sigmoid(alpha·X). */
const swish: Lower = (node, scope) => {
  const [X = ''] = node.inputs;
  const alpha = floatOf(node, 'alpha', 1);
  const gate = scope.fresh(node, 'gate');
  const part = { domain: '', attributes: {} };
  const product: GraphNode = { ...part, name: node.name, op: 'Mul', inputs: [X, gate], outputs: node.outputs };
  const sigmoid = (input: string): GraphNode => ({
    ...part,
    name: `${node.name}/gate`,
    op: 'Sigmoid',
    inputs: [input],
    outputs: [gate],
  });
  if (alpha === 1) return [sigmoid(X), product];
  const scaled = scope.fresh(node, 'scaled');
  const factor = scope.constant(node, 'alpha', float32([], [alpha]));
  return [
    { ...part, name: `${node.name}/scaled`, op: 'Mul', inputs: [X, factor], outputs: [scaled] },
    sigmoid(scaled),
    product,
  ];
};

/** round_mode concerns 8-bit floats only. */
const cast: Lower = (node) => [{ ...node, attributes: withAttributes(node, ['round_mode']) }];

const refused =
  (since: number): Lower =>
  (node, scope) =>
    scope.refuse(node, `${node.op} (opset ${since})`);

export const lowers: Readonly<Record<string, Lower>> = {
  Swish: swish,
  Cast: cast,
  CastLike: cast,
  Attention: attention,
  RMSNormalization: rmsNormalization,
  RotaryEmbedding: rotaryEmbedding,
  TensorScatter: refused(24),
};
