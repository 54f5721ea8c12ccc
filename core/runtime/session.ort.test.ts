import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { dtypes, emptyData, float32, type DType, type Tensor } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { houseModel, writeModel } from '../onnx/write.ts';
import { compile, openSession } from './session.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

/** Turns [2, 3] round: no arithmetic, so it exists for every type. */
function turning(dtype: DType): Graph {
  const g = new GraphBuilder();
  g.output('y', g.transpose(g.input('x', dtype, [2, 3]), [1, 0]));
  return g.build('turning');
}

/** 0 … 5. */
function counting(dtype: DType): Tensor {
  const data = emptyData(dtype, 6);
  for (let i = 0; i < 6; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(i);
    else data[i] = dtype === 'bool' ? i % 2 : i;
  }
  return { dtype, dims: [2, 3], data };
}

const refusal = (pattern: RegExp, code: string) => (error: unknown) =>
  error instanceof WorkbenchError && error.code === code && pattern.test(error.message);

describe('a session', () => {
  for (const dtype of dtypes.filter((name) => name !== 'float16')) {
    it(`takes and gives ${dtype}`, async () => {
      const session = await compile(turning(dtype), cpu);
      const x = counting(dtype);
      const { y } = await session.run({ x });
      await session.close();
      assert.ok(y);
      assert.equal(y.dtype, dtype);
      assert.deepEqual(y.dims, [3, 2]);
      assert.equal(y.data.constructor, x.data.constructor);
      const expected = [0, 3, 1, 4, 2, 5].map((i) => x.data[i]);
      assert.deepEqual([...y.data], expected);
    });
  }

  it('gives the bits of float16, but says that it cannot be fed with them', async () => {
    const g = new GraphBuilder();
    g.output('y', g.cast(g.input('x', 'float32', [3]), 'float16'));
    const session = await compile(g.build('halving'), cpu);
    const { y } = await session.run({ x: float32([3], [1, -2, 0.5]) });
    await session.close();
    assert.equal(y?.dtype, 'float16');
    assert.deepEqual(y.data, Uint16Array.of(0x3c00, 0xc000, 0x3800));
    const half = await compile(turning('float16'), cpu);
    const x: Tensor = { dtype: 'float16', dims: [2, 3], data: new Uint16Array(6) };
    await assert.rejects(half.run({ x }), refusal(/Input x of turning is float16/, 'OP_UNSUPPORTED'));
    await half.close();
  });

  it('runs a model whose weights it hands over as they are like one that is written whole', async () => {
    const side = 4200;
    const weights = new Float32Array(side * side).fill(0.01);
    weights.set([3, -4, 5], side + 7);
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [1, side]);
    g.output('y', g.add(g.matmul(x, g.constant(float32([side, side], weights))), g.constant(float32([1], [2]))));
    const graph = g.build('large');
    const feeds = { x: float32([1, side], new Float32Array(side).fill(0.25)) };
    const [apart, whole] = [await compile(graph, cpu), await openSession(writeModel(houseModel(graph)), cpu, 'large')];
    const [one, other] = [await apart.run(feeds), await whole.run(feeds)];
    await Promise.all([apart.close(), whole.close()]);
    assert.deepEqual(one, other);
    assert.notEqual(one['y']?.data[0], 2);
  });

  it('says the names of its inputs and outputs', async () => {
    const session = await compile(turning('float32'), cpu);
    assert.deepEqual([session.inputNames, session.outputNames], [['x'], ['y']]);
    await session.close();
  });

  it('names the graph when a feed is missing, has another type or another shape, and runs on afterwards', async () => {
    const session = await compile(turning('float32'), cpu);
    const named = refusal(/could not run turning/, 'INTERNAL');
    await assert.rejects(session.run({}), named);
    await assert.rejects(session.run({ x: counting('int32') }), named);
    await assert.rejects(session.run({ x: float32([3, 3], new Float32Array(9)) }), named);
    assert.deepEqual((await session.run({ x: counting('float32') }))['y']?.dims, [3, 2]);
    await session.close();
  });

  it('does not open bytes that are no model, naming what it was to be', async () => {
    await assert.rejects(
      openSession(Uint8Array.of(1, 2, 3), cpu, 'half.onnx'),
      refusal(/could not load half\.onnx/, 'MODEL_UNREADABLE'),
    );
  });

  it('gives the same bits each time', async () => {
    const g = new GraphBuilder();
    const x = g.input('x', 'float32', [16, 32]);
    g.output('y', g.softmax(g.matmul(x, g.transpose(x, [1, 0]))));
    const session = await compile(g.build('gram'), cpu);
    const feeds = {
      x: float32(
        [16, 32],
        Float32Array.from({ length: 512 }, (_, i) => Math.sin(i)),
      ),
    };
    const [first, second] = [await session.run(feeds), await session.run(feeds)];
    await session.close();
    assert.deepEqual(first['y']?.data, second['y']?.data);
  });
});
