import { float32, type Tensor } from '../../base/tensor.ts';
import type { Attribute, GraphNode } from '../graph.ts';
import type { Lift, LiftScope } from './lift.ts';
import { Steps } from './steps.ts';

const along = (axis: number): Record<string, Attribute> => ({ axis: { type: 'int', value: axis } });

/** Products of the scale of the input and those of the weights: the scale of a bias in 32-bit integers. */
function product(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  if (!(a?.data instanceof Float32Array) || !(b?.data instanceof Float32Array)) return undefined;
  const [factor = 1] = a.data;
  return float32(
    b.dims,
    b.data.map((scale) => scale * factor),
  );
}

/** Integer arithmetic written out: dequantised, computed as real numbers, quantised. */
function written(
  node: GraphNode,
  scope: LiftScope,
  op: string,
  { axis, bias }: { readonly axis: number; readonly bias?: string },
): readonly GraphNode[] {
  const [a = '', aScale = '', aZero = '', b = '', bScale = '', bZero = '', yScale = '', yZero = ''] = node.inputs;
  const steps = new Steps(node, scope);
  const inputs = [
    steps.add('DequantizeLinear', [a, aScale, aZero]),
    steps.add('DequantizeLinear', [b, bScale, bZero], along(axis)),
  ];
  if (bias !== undefined && bias !== '') {
    const scale = product(scope.constantOf(aScale), scope.constantOf(bScale));
    if (scale === undefined) return scope.refuse(node, `${node.op} with scales that are not known`);
    inputs.push(steps.add('DequantizeLinear', [bias, steps.constant(scale)], along(0)));
  }
  const result = steps.add(op, inputs, node.attributes);
  steps.add('QuantizeLinear', [result, yScale, yZero]);
  return steps.finish();
}

/** `below` is beyond every operator set: the house knows one form of quantisation. */
export const quantised: readonly Lift[] = [
  {
    op: 'QLinearConv',
    below: Infinity,
    lift: (node, scope) => written(node, scope, 'Conv', { axis: 0, bias: node.inputs[8] ?? '' }),
  },
  { op: 'QLinearMatMul', below: Infinity, lift: (node, scope) => written(node, scope, 'MatMul', { axis: -1 }) },
];
