import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, tensor } from '../base/tensor.ts';
import { compile } from '../runtime/session.ts';
import { int } from './attributes.ts';
import { GraphBuilder } from './builder.ts';
import { gradients } from './differentiate.ts';

describe('the gradient of a quantised value', () => {
  it('passes straight through the rounding and stops where the value was cut off', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [5]);
    const [scale, zero] = [g.floats([], [0.5]), g.constant(tensor('uint8', [], Uint8Array.of(2)))];
    const [quantised] = g.op('QuantizeLinear', [x, scale, zero]);
    const [real] = g.op('DequantizeLinear', [quantised, scale, zero]);
    assert.ok(real);
    const [dx] = gradients(g, g.reduceSum(g.mul(real, real)), [x]);
    assert.ok(dx);
    g.output('y', real);
    g.output('dx', dx);
    const session = await compile(g.build('quantised'), { device: 'cpu', threads: 1 });
    const { y, dx: slope } = await session.run({ x: float32([5], [-1.2, -1.3, 0.3, 1.2, 200]) });
    await session.close();
    // fake_quantize_per_tensor_affine(x, 0.5, 2, 0, 255) of PyTorch 2.13.
    assert.deepEqual([...(y?.data ?? [])], [-1, -1, 0.5, 1, 126.5]);
    assert.deepEqual(
      Array.from<number | bigint, number>(slope?.data ?? [], (value) => Number(value) + 0),
      [-2, 0, 1, 2, 0],
    );
  });

  it('takes the scale of each channel', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [2, 2]);
    const [scale, zero] = [g.floats([2], [0.25, 1]), g.constant(tensor('int8', [2], Int8Array.of(0, 0)))];
    const axis = { axis: int(0) };
    const [quantised] = g.op('QuantizeLinear', [x, scale, zero], axis);
    const [real] = g.op('DequantizeLinear', [quantised, scale, zero], axis);
    assert.ok(real);
    const [dx] = gradients(g, g.reduceSum(real), [x]);
    assert.ok(dx);
    g.output('dx', dx);
    const session = await compile(g.build('quantised'), { device: 'cpu', threads: 1 });
    const { dx: slope } = await session.run({ x: float32([2, 2], [30, 40, 30, 400]) });
    await session.close();
    assert.deepEqual([...(slope?.data ?? [])], [1, 0, 1, 0]);
  });
});
