import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { int64, tensor } from '../base/tensor.ts';
import { inferTypes } from './infer-table.ts';
import { contextOf, type OneNode, wave } from './testing/one-node.ts';

const refused: readonly (readonly [title: string, node: OneNode, message: RegExp])[] = [
  [
    'shapes that do not broadcast',
    { op: 'Add', inputs: [wave([2, 3]), wave([4])] },
    /Add \(tested\): expected shapes that broadcast, got \[2, 3\] and \[4\]/,
  ],
  [
    'element types that differ',
    { op: 'Mul', inputs: [wave([2]), int64([2], [1, 2])] },
    /one element type, got float32 and int64/,
  ],
  [
    'inner dimensions that differ',
    { op: 'MatMul', inputs: [wave([2, 3]), wave([4, 5])] },
    /equal inner dimensions, got 3 and 4/,
  ],
  ['a Gemm of vectors', { op: 'Gemm', inputs: [wave([3]), wave([3, 2])] }, /input 0 of rank 2, got 1/],
  [
    'a kernel of other channels',
    { op: 'Conv', inputs: [wave([1, 3, 8, 8]), wave([4, 2, 3, 3])] },
    /expected 3 input channels in the weight, got 2 × 1 groups/,
  ],
  [
    'a bias of another length',
    { op: 'Conv', inputs: [wave([1, 3, 8, 8]), wave([4, 3, 3, 3]), wave([5])] },
    /the bias \(input 2\) of shape \[4\], got \[5\]/,
  ],
  [
    'padding for fewer axes than there are',
    { op: 'ConvTranspose', inputs: [wave([1, 1, 4, 4]), wave([1, 1, 2, 2])], attributes: { output_padding: [1] } },
    /expected 2 numbers as output_padding, got \[1\]/,
  ],
  [
    'a window larger than the image',
    { op: 'MaxPool', inputs: [wave([1, 1, 3, 3])], attributes: { kernel_shape: [5, 5] } },
    /a window of at most 3 on spatial axis 0, got 5/,
  ],
  [
    'a target of another size',
    { op: 'Reshape', inputs: [wave([2, 3]), int64([2], [4, -1])], constants: [1] },
    /a target shape with 6 elements, got \[4, -1\]/,
  ],
  [
    'axes out of range',
    { op: 'Softmax', inputs: [wave([2, 3])], attributes: { axis: 2 } },
    /an axis from -2 to 1, got 2/,
  ],
  [
    'an axis that is given twice',
    { op: 'ReduceSum', inputs: [wave([2, 3]), int64([2], [1, -1])], constants: [1] },
    /different axes/,
  ],
  [
    'squeezing what is not 1',
    { op: 'Squeeze', inputs: [wave([2, 3]), int64([1], [0])], constants: [1] },
    /size 1 on axes \[0\]/,
  ],
  [
    'parts that do not add up',
    { op: 'Split', inputs: [wave([5]), int64([2], [2, 2])], outputCount: 2, constants: [1] },
    /parts that add up to 5 on axis 0, got \[2, 2\]/,
  ],
  [
    'an ellipsis of different ranks',
    { op: 'Einsum', inputs: [wave([3, 2]), wave([2, 1, 3])], attributes: { equation: '...b,b...->...' } },
    /as many dimensions in each term, got \[3\], \[1, 3\]/,
  ],
  [
    'more wrapped in front than there is',
    { op: 'Pad', inputs: [wave([5]), int64([2], [4, -2])], attributes: { mode: 'wrap' }, constants: [1] },
    /at most 3 elements to wrap around before axis 0, got 4/,
  ],
  ['a missing input', { op: 'Add', inputs: [] }, /input 0 to be given/],
  ['more outputs than there are', { op: 'Relu', inputs: [wave([2])], outputCount: 2 }, /at most 1 outputs, got 2/],
  [
    'statistics of other channels',
    { op: 'BatchNormalization', inputs: [wave([2, 3]), wave([3]), wave([3]), wave([2]), wave([3])] },
    /mean \(input 3\) of shape \[3\], got \[2\]/,
  ],
];

describe('types of a node that does not fit its inputs', () => {
  for (const [title, node, message] of refused) {
    it(`are refused with ${title}`, () => {
      assert.throws(() => inferTypes(contextOf(node)), { code: 'SHAPE_MISMATCH', message });
    });
  }

  it('are refused for an operator without a rule', () => {
    assert.throws(() => inferTypes(contextOf({ op: 'NonMaxSuppression', inputs: [] })), {
      code: 'OP_UNSUPPORTED',
      message: /NonMaxSuppression \(tested\)/,
    });
  });

  it('are refused when they hang on a value that only running gives', () => {
    const node = { op: 'Reshape', inputs: [wave([2, 3]), int64([1], [6])] };
    assert.throws(() => inferTypes(contextOf(node)), { code: 'OP_UNSUPPORTED', message: /known before running/ });
  });

  it('are refused where onnxruntime expects other ones than it makes', () => {
    const attributes = { kernel_shape: [2], strides: [3], ceil_mode: 1 };
    assert.throws(() => inferTypes(contextOf({ op: 'LpPool', inputs: [wave([1, 1, 6])], attributes })), {
      code: 'OP_UNSUPPORTED',
      message: /onnxruntime disagrees with itself on these windows, which make \[2\] of \[6\]/,
    });
  });

  for (const [op, inputs] of [
    ['NonZero', [wave([2, 3])]],
    ['Compress', [wave([2, 3]), tensor('bool', [2], Uint8Array.of(1, 0))]],
  ] as const) {
    it(`are refused where they depend on the image: ${op}`, () => {
      assert.throws(() => inferTypes(contextOf({ op, inputs })), {
        code: 'OP_UNSUPPORTED',
        message: /its result depends on the image/,
        hint: /a mask or use Where/,
      });
    });
  }
});
