import { float32, int64, type Tensor, tensor } from '../../base/tensor.ts';
import { type OneNode, type PlainAttributes, wave } from './one-node.ts';

const ints = (...values: number[]): Tensor => int64([values.length], values);
const scalar = (value: number): Tensor => int64([], [value]);
const bools = (dims: readonly number[]): Tensor => {
  const length = dims.reduce((a, b) => a * b, 1);
  return tensor(
    'bool',
    dims,
    Uint8Array.from({ length }, (_, i) => i % 2),
  );
};
const absolute = (dims: readonly number[]): Tensor =>
  float32(
    dims,
    Float32Array.from(wave(dims).data as Float32Array, (x) => Math.abs(x) + 0.1),
  );

/** One case; inputs after the first `free` ones are initialisers. */
const node = (
  op: string,
  inputs: readonly (Tensor | undefined)[],
  attributes: PlainAttributes = {},
  free = 1,
  outputCount = 1,
): OneNode => ({
  op,
  inputs,
  attributes,
  outputCount,
  constants: inputs.map((_, i) => i).filter((i) => i >= free),
});

const image = wave([2, 4, 7, 9]);
const channel = wave([4]);

const bytes = tensor('uint8', [2, 3], Uint8Array.of(0, 100, 128, 130, 200, 255));
const quantised = [
  node('QuantizeLinear', [wave([2, 3]), float32([], [0.1]), tensor('int8', [], Int8Array.of(3))]),
  node('QuantizeLinear', [wave([2, 3]), float32([3], [0.1, 0.2, 0.3])], { axis: -1 }),
  node('DequantizeLinear', [bytes, float32([2], [0.1, 0.2]), tensor('uint8', [2], Uint8Array.of(7, 8))], { axis: 0 }),
];

const unary =
  `Neg Abs Exp Erf Sin Cos Tan Sinh Cosh Asinh Atan Tanh Sigmoid Relu LeakyRelu ThresholdedRelu Elu Selu Celu
  Softplus Softsign HardSigmoid HardSwish Gelu Mish Sign Floor Ceil Round Identity IsNaN IsInf Asin Acos Atanh Shrink Clip
  Dropout MeanVarianceNormalization Softmax LogSoftmax Hardmax LpNormalization GlobalAveragePool GlobalMaxPool GlobalLpPool
  Shape Size Transpose Flatten`
    .split(/\s+/)
    .map((op) => node(op, [image]));

const positive = ['Sqrt', 'Log', 'Reciprocal', 'Acosh'].map((op) => node(op, [absolute([2, 3])]));

const binary = [
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Min',
  'Max',
  'Mean',
  'Sum',
  'Greater',
  'Less',
  'Equal',
  'GreaterOrEqual',
  'LessOrEqual',
  'Pow',
  'PRelu',
].map((op) => node(op, [absolute([2, 3, 4]), absolute(op === 'PRelu' ? [3, 1] : [5, 1, 3, 1])], {}, 2));

const elementwise = [
  node('Sum', [wave([3]), wave([2, 1]), wave([1, 1, 1])], {}, 3),
  node('Max', [wave([3])]),
  ...['And', 'Or', 'Xor'].map((op) => node(op, [bools([2, 1]), bools([3])], {}, 2)),
  node('Not', [bools([2, 3])]),
  ...['BitwiseAnd', 'BitwiseOr', 'BitwiseXor'].map((op) => node(op, [ints(5, 6), ints(3)], {}, 2)),
  node('BitwiseNot', [ints(5, 6)]),
  node(
    'BitShift',
    [tensor('uint32', [2], Uint32Array.of(5, 6)), tensor('uint32', [1], Uint32Array.of(1))],
    { direction: 'LEFT' },
    2,
  ),
  node('Mod', [ints(-7, 7, 5), scalar(3)], {}, 2),
  node('Mod', [wave([3]), float32([], [0.4])], { fmod: 1 }, 2),
  node('Where', [bools([3]), wave([2, 1]), wave([1])], {}, 3),
  node('Cast', [wave([2, 2])], { to: 7 }),
  node('Cast', [wave([2, 2])], { to: 11 }),
  node('CastLike', [wave([2, 2]), scalar(1)]),
  node('Clip', [image, float32([], [-0.5]), float32([], [0.5])]),
  node('Clip', [image, undefined, float32([], [0.5])]),
  node('Dropout', [image, float32([], [0.3])], {}, 1, 2),
];

const linear = [
  node('MatMul', [wave([3, 4]), wave([4, 5])], {}, 2),
  node('MatMul', [wave([2, 1, 3, 4]), wave([5, 4, 6])], {}, 2),
  node('MatMul', [wave([4]), wave([2, 4, 6])], {}, 2),
  node('MatMul', [wave([2, 3, 4]), wave([4])], {}, 2),
  node('MatMul', [wave([4]), wave([4])], {}, 2),
  node('Gemm', [wave([3, 4]), wave([4, 5])], {}, 2),
  node('Gemm', [wave([4, 3]), wave([5, 4]), wave([5])], { transA: 1, transB: 1, alpha: { float: 0.5 } }, 3),
  node('Gemm', [wave([3, 4]), wave([4, 5]), wave([3, 1])], {}, 3),
  node('Einsum', [wave([2, 3]), wave([3, 4])], { equation: 'ij,jk->ik' }, 2),
  node('Einsum', [wave([2, 3]), wave([3, 4])], { equation: 'ij,jk' }, 2),
  node('Einsum', [wave([5, 2, 3]), wave([1, 3, 4])], { equation: '...ij,...jk->...ik' }, 2),
  node('Einsum', [wave([3, 3])], { equation: 'ii->i' }),
];

const convolution = [
  node('Conv', [image, wave([6, 4, 3, 3]), wave([6])], {}, 3),
  node('Conv', [image, wave([6, 2, 3, 2])], { group: 2, strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 2] }, 2),
  node('Conv', [image, wave([6, 4, 3, 3])], { auto_pad: 'SAME_UPPER', strides: [2, 2] }, 2),
  node('Conv', [image, wave([6, 4, 3, 3])], { auto_pad: 'SAME_LOWER', strides: [2, 3] }, 2),
  node('Conv', [image, wave([6, 4, 3, 3])], { auto_pad: 'VALID' }, 2),
  node('Conv', [wave([2, 3, 8]), wave([5, 3, 3])], { pads: [1, 1] }, 2),
  node('Conv', [wave([1, 2, 4, 5, 6]), wave([3, 2, 2, 2, 2])], {}, 2),
  node('ConvTranspose', [image, wave([4, 3, 3, 3]), wave([3])], {}, 3),
  node(
    'ConvTranspose',
    [image, wave([4, 3, 3, 3])],
    { strides: [2, 3], pads: [1, 0, 1, 2], output_padding: [1, 0], group: 2 },
    2,
  ),
  node('ConvTranspose', [image, wave([4, 3, 3, 3])], { strides: [2, 2], auto_pad: 'SAME_UPPER' }, 2),
  node('ConvTranspose', [image, wave([4, 3, 3, 3])], { strides: [2, 2], output_shape: [15, 18] }, 2),
  node('ConvTranspose', [image, wave([4, 3, 3, 3])], { dilations: [2, 1] }, 2),
  node('ConvTranspose', [image, wave([4, 3, 2, 3])], { strides: [3, 3], auto_pad: 'SAME_LOWER' }, 2),
  node('MaxPool', [image], { kernel_shape: [2, 2], strides: [2, 2] }, 1, 2),
  node('MaxPool', [image], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 }),
  node('MaxPool', [image], { kernel_shape: [2, 2], strides: [3, 3], ceil_mode: 1, pads: [0, 0, 1, 1] }),
  node('MaxPool', [image], { kernel_shape: [3, 2], dilations: [2, 2] }),
  node('MaxPool', [image], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_LOWER' }),
  node('AveragePool', [image], { kernel_shape: [2, 3], strides: [2, 2], ceil_mode: 1 }),
  node('AveragePool', [image], { kernel_shape: [2, 3], dilations: [2, 2], auto_pad: 'SAME_UPPER' }),
  node('MaxPool', [image], { kernel_shape: [1, 2], strides: [4, 6], auto_pad: 'SAME_LOWER' }),
  node('AveragePool', [image], { kernel_shape: [3, 3], count_include_pad: 1, pads: [1, 1, 1, 1] }),
  node('LpPool', [image], { kernel_shape: [2, 2], p: 2 }),
  node(
    'MaxUnpool',
    [wave([1, 1, 2, 2]), int64([1, 1, 2, 2], [0, 3, 8, 15])],
    { kernel_shape: [2, 2], strides: [2, 2] },
    2,
  ),
  node('DepthToSpace', [image], { blocksize: 2 }),
  node('SpaceToDepth', [wave([1, 2, 4, 6])], { blocksize: 2 }),
  node('GridSample', [image, wave([2, 3, 5, 2])], {}, 2),
  node('AffineGrid', [wave([2, 2, 3]), ints(2, 3, 4, 5)]),
  node('AffineGrid', [wave([2, 3, 4]), ints(2, 3, 4, 5, 6)]),
  node('Col2Im', [wave([1, 8, 12]), ints(4, 5), ints(2, 2)]),
  node('CenterCropPad', [image, ints(3, 11)], { axes: [2, -1] }),
];

const normalisation = [
  node('BatchNormalization', [image, channel, channel, channel, absolute([4])], {}, 5),
  node('BatchNormalization', [image, channel, channel, channel, absolute([4])], { training_mode: 1 }, 5, 3),
  node('InstanceNormalization', [image, channel, channel], {}, 3),
  node('GroupNormalization', [image, channel, channel], { num_groups: 2 }, 3),
  node('LayerNormalization', [image, wave([9]), wave([9])], {}, 3, 3),
  node('LayerNormalization', [image, wave([7, 9])], { axis: 2 }, 2, 3),
  node('LRN', [image], { size: 3 }),
  node('SoftmaxCrossEntropyLoss', [wave([3, 4]), ints(0, 3, 1)], {}, 2),
  node('SoftmaxCrossEntropyLoss', [wave([3, 4]), ints(0, 3, 1)], { reduction: 'none' }, 2, 2),
  node('NegativeLogLikelihoodLoss', [wave([3, 4, 2]), int64([3, 2], [0, 3, 1, 2, 0, 1])], {}, 2),
];

const reductions = ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].flatMap(
  (name) => [
    node(`Reduce${name}`, [absolute([2, 3, 4])]),
    node(`Reduce${name}`, [absolute([2, 3, 4]), ints(0, -1)], { keepdims: 0 }),
  ],
);

const reduction = [
  ...reductions,
  node('ReduceSum', [image], { noop_with_empty_axes: 1 }),
  node('ReduceMean', [image, ints(2, 3)]),
  node('ArgMax', [image], { axis: 1 }),
  node('ArgMin', [image], { axis: -1, keepdims: 0 }),
  node('TopK', [image, ints(3)], {}, 1, 2),
  node('TopK', [image, ints(2)], { axis: 1, largest: 0 }, 1, 2),
  node('CumSum', [image, scalar(1)]),
];

const layout = [
  node('Reshape', [wave([2, 3, 4]), ints(0, -1)]),
  node('Reshape', [wave([2, 3, 4]), ints(4, 0, 2)]),
  node('Reshape', [wave([0, 3]), ints(3, 0)], { allowzero: 1 }),
  node('Reshape', [wave([1]), int64([0], [])]),
  node('Flatten', [image], { axis: 0 }),
  node('Flatten', [image], { axis: -1 }),
  node('Flatten', [image], { axis: 4 }),
  node('Transpose', [image], { perm: [0, 2, 3, 1] }),
  node('Squeeze', [wave([1, 3, 1, 2])]),
  node('Squeeze', [wave([1, 3, 1, 2]), ints(-2)]),
  node('Unsqueeze', [wave([3, 2]), ints(0, -1)]),
  node('Concat', [wave([2, 3]), wave([2, 1]), wave([2, 4])], { axis: -1 }, 3),
  node('Split', [wave([2, 7])], { axis: 1, num_outputs: 3 }, 1, 3),
  node('Split', [wave([2, 7]), ints(1, 6)], { axis: -1 }, 1, 2),
  node('Slice', [image, ints(1, 2), ints(3, 2147483647), ints(2, 3)]),
  node('Slice', [image, ints(-1), ints(-1000), ints(3), ints(-2)]),
  node('Slice', [image, ints(5, -3), ints(2, -1), ints(2, -1), ints(-1, 1)]),
  node('Slice', [image, ints(3), ints(1)]),
  node('Slice', [image, ints(0), ints(100), ints(-1), ints(4)]),
  node('Pad', [image, ints(0, 0, 1, 2, 0, 0, 3, -1)]),
  node('Pad', [image, ints(1, 1), undefined, ints(3)], { mode: 'reflect' }),
  node('Expand', [wave([3, 1]), ints(2, 1, 4)]),
  node('Expand', [wave([2, 3]), ints(1)]),
  node('Tile', [wave([2, 3]), ints(2, 1)]),
  node('Trilu', [wave([2, 3, 3])]),
  node('ReverseSequence', [wave([3, 2, 2]), ints(1, 3)]),
];

const indexing = [
  node('Gather', [wave([3, 4, 5]), int64([2, 2], [0, 1, -1, 2])], { axis: 1 }, 2),
  node('Gather', [wave([3, 4]), scalar(1)], {}, 2),
  node('GatherElements', [wave([3, 4]), int64([2, 4], [0, 1, 2, 0, 1, 2, 0, 1])], {}, 2),
  node('GatherND', [wave([2, 3, 4]), int64([2, 2], [0, 1, 1, 2])], {}, 2),
  node('GatherND', [wave([2, 3, 4]), int64([2, 1], [1, 2])], { batch_dims: 1 }, 2),
  node('ScatterElements', [wave([3, 3]), int64([1, 3], [0, 1, 2]), wave([1, 3])], { reduction: 'add' }, 3),
  node('ScatterND', [wave([4, 2]), int64([2, 1], [1, 3]), wave([2, 2])], {}, 3),
  node('OneHot', [ints(1, 0, 2), scalar(4), float32([2], [0, 1])]),
  node('OneHot', [ints(1, 0, 2), ints(4), float32([2], [0, 1])], { axis: 0 }),
  node('Compress', [image, tensor('bool', [3], Uint8Array.of(1, 0, 1))], { axis: 1 }),
  node('Compress', [wave([2, 3]), tensor('bool', [5], Uint8Array.of(0, 1, 1, 0, 1))]),
  node('NonZero', [int64([2, 3], [0, 5, 0, 1, 0, 2])], {}, 0),
  node('NonZero', [scalar(3)], {}, 0),
  node('RoiAlign', [image, wave([3, 4]), ints(0, 1, 0)], { output_height: 2, output_width: 3 }, 3),
];

const creation = [
  node('Shape', [image], { start: 1, end: -1 }),
  node('Range', [scalar(2), scalar(11), scalar(3)], {}, 0),
  node('Range', [float32([], [1]), float32([], [-1]), float32([], [-0.5])], {}, 0),
  node('ConstantOfShape', [ints(2, 3)], {}, 0),
  node('ConstantOfShape', [ints(2)], { value: ints(7) }, 0),
  node('EyeLike', [wave([3, 2])]),
  node('EyeLike', [wave([3, 2])], { dtype: 7 }),
  node('Constant', [], { value_floats: { floats: [1, 2] } }, 0),
  node('Constant', [], { value_int: 3 }, 0),
];

const resizing = [
  node('Resize', [image, undefined, float32([4], [1, 1, 2, 1.5])]),
  node('Resize', [image, undefined, undefined, ints(2, 4, 5, 6)], { mode: 'linear' }),
  node('Resize', [image, undefined, float32([2], [0.6, 0.5])], { axes: [2, 3], mode: 'linear' }),
  node('Resize', [image, undefined, undefined, ints(10, 10)], { axes: [2, 3], keep_aspect_ratio_policy: 'not_larger' }),
  node('Resize', [image, undefined, undefined, ints(10, 10)], {
    axes: [2, 3],
    keep_aspect_ratio_policy: 'not_smaller',
  }),
];

/** At least one case for each op that has a shape rule. */
export const inferCases: readonly OneNode[] = [
  ...unary,
  ...quantised,
  ...positive,
  ...binary,
  ...elementwise,
  ...linear,
  ...convolution,
  ...normalisation,
  ...reduction,
  ...layout,
  ...indexing,
  ...creation,
  ...resizing,
];
