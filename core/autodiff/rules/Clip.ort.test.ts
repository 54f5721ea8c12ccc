import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32 } from '../../base/tensor.ts';
import { compile } from '../../runtime/session.ts';
import { GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';

async function slopes(low: number, high: number, values: readonly number[]): Promise<readonly number[]> {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [values.length]);
  const [y] = g.op('Clip', [x, g.scalar(low), g.scalar(high)]);
  assert.ok(y);
  const [dx] = gradients(g, g.reduceSum(y), [x]);
  assert.ok(dx);
  g.output('dx', dx);
  const session = await compile(g.build('clip'), { device: 'cpu', threads: 1 });
  const { dx: found } = await session.run({ x: float32([values.length], values) });
  await session.close();
  return Array.from<number | bigint, number>(found?.data ?? [], (value) => Number(value) + 0);
}

describe('the slope of Clip at constant bounds', () => {
  it('is 0 between 0 and 6, as that of PyTorch’s ReLU6', async () => {
    assert.deepEqual(await slopes(0, 6, [-1, 0, 3, 6, 7]), [0, 0, 1, 0, 0]);
  });

  it('is 1 elsewhere, as that of PyTorch’s clamp', async () => {
    assert.deepEqual(await slopes(0, 5, [-1, 0, 3, 5, 7]), [0, 1, 1, 1, 0]);
    assert.deepEqual(await slopes(-1, 6, [-2, -1, 3, 6, 7]), [0, 1, 1, 1, 0]);
  });
});
