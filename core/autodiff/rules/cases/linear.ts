import { float, int, ints, string } from '../../attributes.ts';
import { absent, apart, x, type RuleCase } from '../case.ts';

type Attributes = NonNullable<RuleCase['attributes']>;

const matmul = (name: string, a: readonly number[], b: readonly number[]): RuleCase => ({
  op: 'MatMul',
  name,
  inputs: [x(a), x(b)],
});

const gemm = (
  name: string,
  a: readonly number[],
  b: readonly number[],
  attributes: Attributes,
  c?: readonly number[],
): RuleCase => ({
  op: 'Gemm',
  name,
  inputs: [x(a), x(b), c ? x(c) : absent],
  attributes,
});

const einsum = (equation: string, ...shapes: readonly (readonly number[])[]): RuleCase => ({
  op: 'Einsum',
  name: equation,
  inputs: shapes.map((shape) => x(shape)),
  attributes: { equation: string(equation) },
});

/** onnxruntime's CPU convolutions are float32 only. */
const conv = (
  name: string,
  input: readonly number[],
  weight: readonly number[],
  attributes: Attributes = {},
  bias?: number,
): RuleCase => ({
  op: 'Conv',
  name,
  inputs: [x(input), x(weight), bias ? x([bias]) : absent],
  attributes,
  dtype: 'float32',
});

const transposed = (
  name: string,
  input: readonly number[],
  weight: readonly number[],
  attributes: Attributes = {},
  bias?: number,
): RuleCase => ({
  ...conv(name, input, weight, attributes, bias),
  op: 'ConvTranspose',
});

const pool = (
  op: string,
  name: string,
  shape: readonly number[],
  attributes: Attributes,
  dtype: 'float32' | 'float64' = 'float32',
): RuleCase => ({
  op,
  name,
  inputs: [x(shape, apart(0.6))],
  attributes,
  dtype,
});

const square = (k: number): Attributes => ({ kernel_shape: ints([k, k]), strides: ints([k, k]) });

export const linearCases: readonly RuleCase[] = [
  matmul('matrices', [2, 3], [3, 4]),
  matmul('a stack of matrices', [2, 3, 2], [2, 2, 4]),
  matmul('a stack and one matrix', [2, 3, 2], [2, 4]),
  matmul('one matrix and a stack', [3, 2], [2, 2, 4]),
  matmul('stacks that broadcast', [2, 1, 3, 2], [3, 2, 2]),
  matmul('a vector and a matrix', [3], [3, 2]),
  matmul('a matrix and a vector', [2, 3], [3]),
  matmul('a stack and a vector', [2, 2, 3], [3]),
  matmul('a vector and a stack', [3], [2, 3, 2]),
  matmul('two vectors', [3], [3]),
  gemm('plain', [2, 3], [3, 4], {}),
  gemm('with a row bias', [2, 3], [3, 4], {}, [4]),
  gemm('A transposed', [3, 2], [3, 4], { transA: int(1) }),
  gemm('B transposed, scaled', [2, 3], [4, 3], { transB: int(1), alpha: float(0.5), beta: float(2) }, [2, 1]),
  gemm('both transposed, scalar bias', [3, 2], [4, 3], { transA: int(1), transB: int(1), alpha: float(2) }, []),
  einsum('ij,jk->ik', [2, 3], [3, 4]),
  einsum('bhid,bhjd->bhij', [2, 2, 3, 2], [2, 2, 4, 2]),
  einsum('...i,ij', [2, 3], [3, 2]),
  einsum('...ij,...j->...i', [2, 1, 3, 2], [1, 4, 2]),
  einsum('ij->j', [2, 3]),
  einsum('ij,kl->k', [2, 2], [3, 2]),
  einsum('i,i,ij->j', [3], [3], [3, 2]),
  einsum('ii->i', [3, 3]),
  einsum('ii', [3, 3]),
  einsum('...ii->...i', [2, 3, 3]),
  einsum('bij,bij->b', [2, 2, 3], [2, 2, 3]),
  einsum('iji,ij->j', [3, 2, 3], [3, 2]),
  einsum('iii,i->i', [2, 2, 2], [2]),
  einsum('a...b,b...->a...', [2, 3, 2], [2, 1]),
  conv('3×3 padded', [2, 2, 5, 5], [3, 2, 3, 3], { pads: ints([1, 1, 1, 1]) }, 3),
  conv('stride 2 with a remainder', [1, 2, 6, 7], [2, 2, 3, 3], { strides: ints([2, 2]), pads: ints([1, 0, 0, 1]) }),
  conv('stride 3 above the kernel', [1, 1, 8, 8], [2, 1, 2, 2], { strides: ints([3, 3]) }),
  conv('dilated', [1, 2, 7, 7], [2, 2, 3, 2], { dilations: ints([2, 3]) }),
  conv('grouped', [2, 4, 4, 4], [6, 2, 3, 3], { group: int(2), pads: ints([1, 1, 1, 1]) }, 6),
  conv('depthwise, stride 2', [2, 3, 5, 5], [3, 1, 3, 3], {
    group: int(3),
    strides: ints([2, 2]),
    pads: ints([1, 1, 1, 1]),
  }),
  conv('wide enough for the flipped kernel', [1, 16, 4, 4], [2, 16, 3, 3], { pads: ints([1, 1, 1, 1]) }),
  conv('more channels than places', [2, 2, 3, 3], [5, 2, 2, 2]),
  conv('depthwise with two outputs each', [1, 2, 4, 4], [4, 1, 3, 3], { group: int(2) }),
  conv('1×1', [2, 3, 3, 3], [4, 3, 1, 1]),
  conv('padded by more than the kernel', [1, 1, 3, 3], [2, 1, 2, 2], { pads: ints([2, 2, 2, 2]) }),
  conv('SAME_UPPER', [1, 2, 5, 5], [2, 2, 3, 3], { strides: ints([2, 2]), auto_pad: string('SAME_UPPER') }),
  conv('SAME_LOWER, even kernel', [1, 1, 4, 4], [1, 1, 2, 2], { auto_pad: string('SAME_LOWER') }),
  conv('many images, few channels', [16, 1, 4, 5], [2, 1, 2, 3], { strides: ints([1, 2]), pads: ints([1, 0, 0, 1]) }),
  conv('many channels, few places', [2, 32, 3, 3], [1, 32, 2, 2], { strides: ints([2, 2]), pads: ints([1, 1, 0, 0]) }),
  conv('VALID', [1, 2, 4, 4], [2, 2, 3, 3], { auto_pad: string('VALID') }),
  conv('one-dimensional', [2, 2, 6], [3, 2, 3], { pads: ints([1, 1]), strides: ints([2]) }, 3),
  conv('three-dimensional', [1, 2, 3, 3, 3], [2, 2, 2, 2, 2], { pads: ints([1, 0, 0, 0, 0, 0]) }),
  transposed('plain', [2, 2, 3, 3], [2, 3, 3, 3], {}, 3),
  transposed('stride 2, padded', [1, 2, 3, 3], [2, 2, 4, 4], { strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) }),
  transposed('output padding', [1, 2, 3, 3], [2, 2, 3, 3], {
    strides: ints([2, 2]),
    pads: ints([1, 1, 1, 1]),
    output_padding: ints([1, 1]),
  }),
  transposed('output padding past the kernel', [1, 1, 3, 3], [1, 1, 1, 1], {
    strides: ints([2, 2]),
    output_padding: ints([1, 1]),
  }),
  transposed('grouped', [1, 4, 3, 3], [4, 2, 2, 2], { group: int(2) }),
  ...['SAME_UPPER', 'SAME_LOWER', 'VALID', 'NOTSET'].map((automatic) =>
    transposed(`size given, ${automatic}`, [1, 1, 3, 3], [1, 2, 3, 2], {
      strides: ints([2, 3]),
      auto_pad: string(automatic),
      output_shape: ints([6, 7]),
    }),
  ),
  transposed('size given, output padding', [1, 1, 3, 3], [1, 1, 3, 2], {
    strides: ints([2, 3]),
    output_shape: ints([7, 8]),
    output_padding: ints([1, 0]),
  }),
  transposed('SAME_LOWER, dilated', [1, 2, 3, 3], [2, 1, 3, 2], {
    strides: ints([2, 1]),
    dilations: ints([2, 3]),
    auto_pad: string('SAME_LOWER'),
  }),
  transposed('SAME_UPPER, stride above the kernel', [1, 1, 3], [1, 2, 2], {
    strides: ints([3]),
    auto_pad: string('SAME_UPPER'),
  }),
  transposed('three-dimensional', [1, 2, 2, 2, 3], [2, 1, 2, 3, 2], { strides: ints([2, 1, 2]), group: int(2) }),
  transposed('dilated', [1, 1, 3, 3], [1, 2, 2, 2], { dilations: ints([2, 2]) }),
  pool('MaxPool', 'windows that tile', [2, 2, 4, 6], square(2)),
  pool('MaxPool', 'windows that tile, rest left over', [1, 2, 5, 7], square(2)),
  pool('MaxPool', 'windows of 3×2', [1, 1, 6, 4], { kernel_shape: ints([3, 2]), strides: ints([3, 2]) }),
  pool('MaxPool', 'windows that tile in float64', [1, 2, 4, 4], square(2), 'float64'),
  pool(
    'MaxPool',
    'overlapping, padded',
    [1, 2, 6, 6],
    { kernel_shape: ints([3, 3]), strides: ints([2, 2]), pads: ints([1, 1, 1, 1]) },
    'float64',
  ),
  pool('MaxPool', 'ceil mode', [1, 1, 5, 5], { ...square(2), ceil_mode: int(1) }, 'float64'),
  pool('MaxPool', 'dilated', [1, 1, 6, 6], { kernel_shape: ints([2, 2]), dilations: ints([2, 2]) }, 'float64'),
  pool(
    'MaxPool',
    'SAME_UPPER',
    [1, 1, 5, 5],
    { kernel_shape: ints([2, 2]), strides: ints([2, 2]), auto_pad: string('SAME_UPPER') },
    'float64',
  ),
  pool('MaxPool', 'one-dimensional', [2, 2, 6], { kernel_shape: ints([3]), strides: ints([2]) }, 'float64'),
  { ...pool('MaxPool', 'with its Indices', [1, 2, 4, 4], square(2)), outputs: 2 },
  {
    ...pool('MaxPool', 'Indices by columns', [1, 2, 5, 4], {
      ...square(2),
      strides: ints([1, 2]),
      pads: ints([1, 0, 0, 0]),
      storage_order: int(1),
    }),
    outputs: 2,
  },
  pool('AveragePool', 'windows that tile', [2, 2, 4, 6], square(2)),
  pool('AveragePool', 'overlapping, padded', [1, 2, 5, 5], {
    kernel_shape: ints([3, 3]),
    strides: ints([2, 2]),
    pads: ints([1, 1, 1, 1]),
  }),
  pool('AveragePool', 'padding counted', [1, 2, 5, 5], {
    kernel_shape: ints([3, 3]),
    pads: ints([1, 1, 1, 1]),
    count_include_pad: int(1),
  }),
  pool('AveragePool', 'ceil mode', [1, 1, 5, 6], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
    ceil_mode: int(1),
  }),
  pool('AveragePool', 'ceil mode, padding counted', [1, 1, 6, 6], {
    kernel_shape: ints([3, 3]),
    strides: ints([2, 2]),
    pads: ints([1, 1, 0, 0]),
    ceil_mode: int(1),
    count_include_pad: int(1),
  }),
  pool('AveragePool', 'dilated', [1, 1, 6, 6], { kernel_shape: ints([2, 2]), dilations: ints([2, 2]) }),
  pool('AveragePool', 'SAME_UPPER', [1, 1, 5, 5], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
    auto_pad: string('SAME_UPPER'),
  }),
  ...(['SAME_UPPER', 'SAME_LOWER'] as const).flatMap((automatic) => {
    const window = { kernel_shape: ints([2, 1]), strides: ints([3, 4]), auto_pad: string(automatic) };
    const dilated = { ...window, kernel_shape: ints([2, 2]), dilations: ints([2, 2]), ceil_mode: int(1) };
    return [
      pool('MaxPool', `${automatic}, stride above the window`, [1, 1, 7, 7], window, 'float64'),
      pool('MaxPool', `${automatic}, dilated`, [1, 1, 6, 7], dilated, 'float64'),
      pool('AveragePool', `${automatic}, stride above the window`, [1, 1, 7, 7], window),
      pool('AveragePool', `${automatic}, dilated`, [1, 1, 6, 7], dilated),
      pool('LpPool', `${automatic}, stride above the window`, [1, 1, 7, 7], window),
    ];
  }),
  pool('LpPool', 'dilated, ceil mode', [1, 1, 7, 6], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
    dilations: ints([2, 1]),
    ceil_mode: int(1),
  }),
  pool('AveragePool', 'one-dimensional', [1, 2, 6], { kernel_shape: ints([2]), strides: ints([2]) }),
  pool('AveragePool', 'three-dimensional', [1, 1, 4, 2, 2], {
    kernel_shape: ints([2, 2, 2]),
    strides: ints([2, 1, 1]),
  }),
  ...[1, 2, 3].map((p) =>
    pool('LpPool', `${p}-norm`, [1, 2, 4, 4], {
      ...square(2),
      strides: ints([1, 1]),
      pads: ints([1, 0, 0, 1]),
      p: int(p),
    }),
  ),
  ...[1, 2, 3].map((p) => pool('GlobalLpPool', `${p}-norm`, [2, 2, 2, 2], { p: int(p) })),
  pool('GlobalAveragePool', 'images', [2, 2, 3, 3], {}),
  pool('GlobalMaxPool', 'images', [2, 2, 3, 3], {}),
  {
    op: 'MaxUnpool',
    name: 'a quarter of the places',
    inputs: [
      x([1, 1, 2, 2]),
      { kind: 'data', value: { dtype: 'int64', dims: [1, 1, 2, 2], data: BigInt64Array.from([1n, 6n, 8n, 15n]) } },
    ],
    attributes: square(2),
    dtype: 'float32',
  },
];
