import { float32, tensor, type Tensor } from '../../base/tensor.ts';
import type { Attribute, GraphNode } from '../graph.ts';
import { floatOf, intOf, withAttributes, type Lift, type LiftScope } from './lift.ts';
import { Steps } from './steps.ts';

type Rewrite = Lift['lift'];

const along = (axis: number): Record<string, Attribute> => ({ axis: { type: 'int', value: axis } });

/** The real numbers that quantised ones stand for; `axis` is that of scales in plural. */
const real = (steps: Steps, [x = '', scale = '', zero = '']: readonly string[], axis = 1): string =>
  steps.add('DequantizeLinear', [x, scale, zero], along(axis));

/** Products of the scale of the input and those of the weights: the scale of a bias in 32-bit integers. */
function product(a: Tensor | undefined, b: Tensor | undefined, alpha = 1): Tensor | undefined {
  if (!(a?.data instanceof Float32Array) || !(b?.data instanceof Float32Array)) return undefined;
  const [factor = 1] = a.data;
  return float32(
    b.dims,
    b.data.map((scale) => alpha * scale * factor),
  );
}

/** A bias in 32-bit integers as real numbers; undefined where its scale is computed. */
function realBias(
  steps: Steps,
  scope: LiftScope,
  bias: string,
  [aScale = '', bScale = '']: readonly string[],
  alpha = 1,
) {
  const scale = product(scope.constantOf(aScale), scope.constantOf(bScale), alpha);
  return scale === undefined ? undefined : real(steps, [bias, steps.constant(scale)], 0);
}

/** Computed as real numbers, quantised again. */
function quantise(steps: Steps, value: string, [scale = '', zero = '']: readonly string[]): readonly GraphNode[] {
  steps.add('QuantizeLinear', [value, scale, zero]);
  return steps.finish();
}

/** Two quantised factors; the weights' scales lie along `axis`. */
const factors =
  (op: string, axis: number): Rewrite =>
  (node, scope) => {
    const { inputs } = node;
    const steps = new Steps(node, scope);
    const read = [real(steps, inputs), real(steps, inputs.slice(3, 6), axis)];
    const [bias = ''] = inputs.slice(8);
    if (bias !== '') {
      const added = realBias(steps, scope, bias, [inputs[1] ?? '', inputs[4] ?? '']);
      if (added === undefined) return scope.refuse(node, `${node.op} with scales that are not known`);
      read.push(added);
    }
    return quantise(steps, steps.add(op, read, node.attributes), inputs.slice(6, 8));
  };

/** Integers less their zero points, as real numbers: sums are whole up to 2^24. */
function centred(steps: Steps, scope: LiftScope, x: string, zero: string, axis: number): string {
  const dims = scope.constantOf(zero)?.dims ?? [];
  const ones = steps.constant(float32(dims, new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(1)));
  return real(steps, [x, ones, zero], axis);
}

/** Products of integers; what exporters do with them next, a Cast and the scales, is done with real numbers. */
const integers =
  (op: string, axis: number): Rewrite =>
  (node, scope) => {
    const [a = '', b = '', aZero = '', bZero = ''] = node.inputs;
    const steps = new Steps(node, scope);
    const read = [centred(steps, scope, a, aZero, -2), centred(steps, scope, b, bZero, axis)];
    steps.add(op, read, node.attributes);
    return steps.finish();
  };

/** scale = (max − min) / 255 and zero = round(−min / scale) of the values with 0, 1 and 0 where all are 0. */
const dynamic: Rewrite = (node, scope) => {
  const [x = ''] = node.inputs;
  const [y = '', scaleName = '', zeroName = ''] = node.outputs;
  const steps = new Steps(node, scope);
  const whole: Record<string, Attribute> = { keepdims: { type: 'int', value: 0 } };
  const nought = steps.number(0);
  const low = steps.add('Min', [steps.add('ReduceMin', [x], whole), nought]);
  const high = steps.add('Max', [steps.add('ReduceMax', [x], whole), nought]);
  const width = steps.add('Div', [steps.add('Sub', [high, low]), steps.number(255)]);
  const scale = steps.add('Where', [steps.add('Equal', [width, nought]), steps.number(1), width]);
  const shift = steps.add('Round', [steps.add('Neg', [steps.add('Div', [low, scale])])]);
  const zero = steps.add('Cast', [steps.add('Clip', [shift, nought, steps.number(255)])], {
    to: { type: 'int', value: 2 },
  });
  const part = { domain: '', attributes: {} };
  const named = (op: string, inputs: readonly string[], output: string): readonly GraphNode[] =>
    output === '' ? [] : [{ ...part, name: `${node.name}/${output}`, op, inputs, outputs: [output] }];
  return [
    ...steps.nodes,
    // 1 · scale: scales count as constants for gradients, here as in QuantizeLinear.
    ...named('DequantizeLinear', [steps.constant(tensor('int8', [], Int8Array.of(1))), scale], scaleName),
    ...named('Identity', [zero], zeroName),
    ...named('QuantizeLinear', [x, scale, zero], y),
  ];
};

/** One quantised value in, one out. */
const single =
  (op: string, attributes: (node: GraphNode) => Readonly<Record<string, Attribute>> = () => ({})): Rewrite =>
  (node, scope) => {
    if (intOf(node, 'channels_last', 0) !== 0) return scope.refuse(node, `${node.op} with channels last`);
    const steps = new Steps(node, scope);
    return quantise(steps, steps.add(op, [real(steps, node.inputs)], attributes(node)), node.inputs.slice(3));
  };

const pair =
  (op: string): Rewrite =>
  (node, scope) => {
    const steps = new Steps(node, scope);
    const read = [real(steps, node.inputs), real(steps, node.inputs.slice(3))];
    return quantise(steps, steps.add(op, read), node.inputs.slice(6));
  };

const concat: Rewrite = (node, scope) => {
  const [scale = '', zero = '', ...parts] = node.inputs;
  const steps = new Steps(node, scope);
  const read = Array.from({ length: parts.length / 3 }, (_, i) => real(steps, parts.slice(3 * i)));
  return quantise(steps, steps.add('Concat', read, node.attributes), [scale, zero]);
};

/** alpha·A·B + C, whose C has the scale alpha·a·b; left as real numbers where no scale of the result is given. */
const gemm: Rewrite = (node, scope) => {
  const { inputs } = node;
  const steps = new Steps(node, scope);
  const isTurned = intOf(node, 'transB', 0) !== 0;
  const read = [real(steps, inputs), real(steps, inputs.slice(3, 6), isTurned ? 0 : 1)];
  const [bias = ''] = inputs.slice(6);
  if (bias !== '') {
    const added = realBias(steps, scope, bias, [inputs[1] ?? '', inputs[4] ?? ''], floatOf(node, 'alpha', 1));
    if (added === undefined) return scope.refuse(node, `${node.op} with scales that are not known`);
    read.push(added);
  }
  const result = steps.add('Gemm', read, node.attributes);
  return (inputs[7] ?? '') === '' ? steps.finish() : quantise(steps, result, inputs.slice(7));
};

const without = (...names: readonly string[]): ((node: GraphNode) => Readonly<Record<string, Attribute>>) => {
  return (node) => withAttributes(node, names);
};

/** `below` is beyond every operator set: the house knows one form of quantisation, real numbers between two roundings. */
export const quantised: readonly Lift[] = Object.entries({
  QLinearConv: factors('Conv', 0),
  QLinearMatMul: factors('MatMul', -1),
  ConvInteger: integers('Conv', 0),
  MatMulInteger: integers('MatMul', -1),
  DynamicQuantizeLinear: dynamic,
}).map(([op, lift]) => ({ op, below: Infinity, lift }));

/** The operators of the domain com.microsoft that onnxruntime's own quantisation writes. */
export const contributed: Readonly<Record<string, Rewrite>> = {
  QGemm: gemm,
  QLinearAdd: pair('Add'),
  QLinearMul: pair('Mul'),
  QLinearConcat: concat,
  QLinearGlobalAveragePool: single('GlobalAveragePool'),
  QLinearAveragePool: single('AveragePool', without('channels_last')),
  QLinearSigmoid: single('Sigmoid'),
  QLinearLeakyRelu: single('LeakyRelu', without()),
  QLinearSoftmax: single('Softmax', without('opset')),
  QuantizeLinear: (node) => [{ ...node, domain: '' }],
  DequantizeLinear: (node) => [{ ...node, domain: '' }],
};
