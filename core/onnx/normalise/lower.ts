import type { GraphNode } from '../graph.ts';
import { attention, rmsNormalization, rotaryEmbedding } from './attention.ts';
import { floatOf, intOf, stringOf, withAttributes } from './lift.ts';
import { Steps } from './steps.ts';
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

/** Since operator set 28 a remainder of real numbers may have the sign of the divisor: A − B·⌊A/B⌋. */
const mod: Lower = (node, scope) => {
  const [A = '', B = ''] = node.inputs;
  const isFloat = [A, B].some((name) => scope.dtypeOf(name)?.startsWith('float'));
  if (!isFloat || intOf(node, 'fmod', 0) !== 0) return [node];
  const steps = new Steps(node, scope);
  steps.add('Sub', [A, steps.add('Mul', [B, steps.add('Floor', [steps.add('Div', [A, B])])])]);
  return steps.finish();
};

/** Mode DCR has the place in the block first in the channels, as ever; CRD has it last. */
const spaceToDepth: Lower = (node, scope) => {
  const [X = ''] = node.inputs;
  const plain = withAttributes(node, ['mode']);
  if (stringOf(node, 'mode', 'DCR') !== 'CRD') return [{ ...node, attributes: plain }];
  const block = intOf(node, 'blocksize', 1);
  const steps = new Steps(node, scope);
  const moved = steps.add('SpaceToDepth', [X], plain);
  const apart = [steps.ints(0, block * block), steps.sizeOf(X, 1), steps.ints(-1)];
  const split = steps.add('Reshape', [moved, steps.add('Concat', apart, { axis: { type: 'int', value: 0 } })]);
  steps.add('Reshape', [steps.transpose(split, 0, 2, 1, 3), steps.add('Shape', [moved])]);
  return steps.finish();
};

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
  Mod: mod,
  SpaceToDepth: spaceToDepth,
  TensorScatter: refused(24),
};
