import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bytesPerElement,
  dtypes,
  emptyData,
  float32,
  floatsOf,
  int64,
  sizeOf,
  tensor,
  viewBytes,
  zeros,
} from './tensor.ts';

const coded = (code: string) => (error: unknown) => error instanceof Error && 'code' in error && error.code === code;

describe('a tensor', () => {
  it('has as many elements as its shape says, one for a scalar and none for an empty axis', () => {
    assert.deepEqual([sizeOf([]), sizeOf([2, 3]), sizeOf([4, 0])], [1, 6, 0]);
  });

  it('refuses data of another length, naming the shape', () => {
    assert.throws(
      () => tensor('float32', [2, 3], new Float32Array(5)),
      (error) => coded('SHAPE_MISMATCH')(error) && /\[2, 3\] needs 6 elements, got 5/.test(String(error)),
    );
  });

  it('is made from plain numbers', () => {
    assert.deepEqual(float32([2], [1, 0.5]).data, Float32Array.of(1, 0.5));
    assert.deepEqual(int64([2], [1, -5]).data, BigInt64Array.of(1n, -5n));
  });

  it('keeps a typed array as it is, without a copy', () => {
    const data = Float32Array.of(1, 2);
    assert.equal(float32([2], data).data, data);
  });

  it('of zeros exists for every element type, with the right number of bytes', () => {
    for (const dtype of dtypes) {
      const { data } = zeros([2, 2], dtype);
      assert.equal(data.byteLength, 4 * bytesPerElement(dtype), dtype);
      assert.ok(data.every((value) => Number(value) === 0));
    }
  });

  it('gives its floats, or says what it is', () => {
    assert.deepEqual(floatsOf(float32([1], [2])), Float32Array.of(2));
    assert.throws(
      () => floatsOf(int64([1], [2]), 'losses'),
      (error) => coded('SHAPE_MISMATCH')(error) && /losses to be float32, got int64/.test(String(error)),
    );
  });
});

describe('bytes seen as numbers', () => {
  it('are not copied when they are aligned', () => {
    const numbers = Float32Array.of(1, 2, 3);
    const view = viewBytes('float32', new Uint8Array(numbers.buffer, 4, 8));
    assert.deepEqual(view, Float32Array.of(2, 3));
    assert.equal(view.buffer, numbers.buffer);
  });

  it('are copied when they are not, also out of a Node buffer', () => {
    const bytes = Buffer.alloc(13);
    bytes.writeFloatLE(1.5, 1);
    bytes.writeFloatLE(-2, 5);
    const odd = bytes.subarray(1, 9);
    assert.deepEqual(viewBytes('float32', odd), Float32Array.of(1.5, -2));
    odd.fill(0);
    assert.deepEqual(viewBytes('int16', Uint8Array.of(0, 1, 0, 255, 255).subarray(1)), Int16Array.of(1, -1));
  });

  it('round trip for every element type', () => {
    for (const dtype of dtypes) {
      const data = emptyData(dtype, 3);
      new Uint8Array(data.buffer).forEach((_, i, bytes) => (bytes[i] = i % 2));
      assert.deepEqual(viewBytes(dtype, new Uint8Array(data.buffer)), data, dtype);
    }
  });
});
