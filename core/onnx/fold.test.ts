import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, tensor } from '../base/tensor.ts';
import { foldNode } from './fold.ts';
import { contextOf, type OneNode, wave } from './testing/one-node.ts';

/** All inputs constant. */
const fold = (node: OneNode) => foldNode(contextOf({ ...node, constants: node.inputs.map((_, i) => i) }));
const largest = 2n ** 63n - 1n;

describe('a node with constant inputs', () => {
  it('keeps 64-bit integers exact where numbers would not', () => {
    const x = int64([1], BigInt64Array.of(largest));
    assert.deepEqual(fold({ op: 'Sub', inputs: [x, int64([1], [2])] }), [int64([1], BigInt64Array.of(largest - 2n))]);
    assert.deepEqual(fold({ op: 'Concat', inputs: [x, int64([1], [3])], attributes: { axis: 0 } }), [
      int64([2], BigInt64Array.of(largest, 3n)),
    ]);
  });

  it('divides integers towards zero and leaves division by zero to the run', () => {
    assert.deepEqual(fold({ op: 'Div', inputs: [int64([2], [-7, 7]), int64([], [2])] }), [int64([2], [-3, 3])]);
    assert.equal(fold({ op: 'Div', inputs: [int64([1], [1]), int64([], [0])] }), undefined);
  });

  it('rounds floats once, as float32 arithmetic does', () => {
    const sum = fold({ op: 'Add', inputs: [float32([1], [0.1]), float32([1], [0.2])] });
    assert.deepEqual(sum, [float32([1], [Math.fround(Math.fround(0.1) + Math.fround(0.2))])]);
  });

  it('chooses elements of any type by a condition', () => {
    const condition = tensor('bool', [3], Uint8Array.of(1, 0, 1));
    const result = fold({ op: 'Where', inputs: [condition, int64([3], [1, 2, 3]), int64([], [9])] });
    assert.deepEqual(result, [int64([3], [1, 9, 3])]);
  });

  it('limits, rectifies and takes signs, of floats and of integers', () => {
    const x = float32([3], [-2, 0.5, 7]);
    assert.deepEqual(fold({ op: 'Clip', inputs: [x, float32([], [0])] }), [float32([3], [0, 0.5, 7])]);
    assert.deepEqual(fold({ op: 'Clip', inputs: [x, undefined, float32([], [6])] }), [float32([3], [-2, 0.5, 6])]);
    const n = int64([3], [-2, 0, 7]);
    assert.deepEqual(fold({ op: 'Clip', inputs: [n, int64([], [-1]), int64([], [5])] }), [int64([3], [-1, 0, 5])]);
    assert.deepEqual(fold({ op: 'Relu', inputs: [x] }), [float32([3], [0, 0.5, 7])]);
    assert.deepEqual(fold({ op: 'Sign', inputs: [n] }), [int64([3], [-1, 0, 1])]);
  });

  it('casts like a value that is not known', () => {
    const node: OneNode = { op: 'CastLike', inputs: [int64([2], [1, -2]), float32([1], [0])], constants: [0] };
    assert.deepEqual(foldNode(contextOf(node)), [float32([2], [1, -2])]);
  });

  it('moves half floats but does not compute with their bits', () => {
    const half = tensor('float16', [2], Uint16Array.of(0x3c00, 0x4000));
    assert.deepEqual(fold({ op: 'Unsqueeze', inputs: [half, int64([1], [0])] }), [{ ...half, dims: [1, 2] }]);
    assert.equal(fold({ op: 'Add', inputs: [half, half] }), undefined);
  });

  it('stays in the graph when the result is large', () => {
    const shape = int64([2], [257, 256]);
    assert.equal(fold({ op: 'ConstantOfShape', inputs: [shape] }), undefined);
    assert.equal(fold({ op: 'ConstantOfShape', inputs: [int64([2], [256, 256])] })?.[0]?.data.length, 65_536);
  });

  it('does not turn an infinite float into an integer', () => {
    assert.equal(fold({ op: 'Cast', inputs: [float32([1], [Infinity])], attributes: { to: 7 } }), undefined);
  });
});

describe('a node with computed inputs', () => {
  it('is known when it asks for shape or size only', () => {
    assert.deepEqual(foldNode(contextOf({ op: 'Shape', inputs: [wave([2, 3])] })), [int64([2], [2, 3])]);
    assert.deepEqual(foldNode(contextOf({ op: 'Size', inputs: [wave([2, 3])] })), [int64([], [6])]);
  });

  it('is left alone otherwise', () => {
    assert.equal(foldNode(contextOf({ op: 'Add', inputs: [wave([2]), wave([2])], constants: [0] })), undefined);
  });
});
