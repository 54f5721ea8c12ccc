import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { fillNormal, stream } from '../base/rng.ts';
import { float32, floatsOf, int64, sizeOf, type FloatTensor, type Tensor } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import { compileLoop, stackSteps, type CompiledLoop, type LoopBody, type LoopTypes } from './loop.ts';
import { compile } from './session.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

const types = {
  state: {
    w: { dtype: 'float32', shape: [4, 3] },
    count: { dtype: 'int64', shape: [] },
  },
  steps: { x: { dtype: 'float32', shape: [2, 4] }, rate: { dtype: 'float32', shape: [] } },
  shared: { scale: { dtype: 'float32', shape: [3] } },
} as const satisfies LoopTypes;

/** w ← tanh(w − rate · xᵀ(x·w)·scale), which no two steps do alike. */
const body: LoopBody = (g, { state, steps, shared }) => {
  const [w, count] = [state['w'] ?? assert.fail(), state['count'] ?? assert.fail()];
  const [x, rate, scale] = [steps['x'], steps['rate'], shared['scale']];
  assert.ok(x && rate && scale);
  const y = g.mul(g.matmul(x, w), scale);
  const next = g.tanh(g.sub(w, g.mul(g.matmul(g.transpose(x, [1, 0]), y), rate)));
  return {
    state: { w: next, count: g.add(count, 1) },
    trace: { y, length: g.reduceSumSquare(w), count },
  };
};

const filled = (dims: readonly number[], ...path: (string | number)[]): FloatTensor => {
  const data = new Float32Array(sizeOf(dims));
  fillNormal(stream(8, ...path), data);
  return float32(dims, data);
};
const total = 21;
const scale = filled([3], 'scale');
const start = { w: filled([4, 3], 'w'), count: int64([], [5]) };
const xOf = (step: number): FloatTensor => filled([2, 4], 'x', step);
const rateOf = (step: number): number => Math.fround(0.1 / (1 + step));

async function runChunks(loop: CompiledLoop, size: number): Promise<{ state: Record<string, Tensor>; y: number[] }> {
  let state: Record<string, Tensor> = start;
  const y: number[] = [];
  for (let from = 0; from < total; from += size) {
    const count = Math.min(size, total - from);
    const steps = {
      x: stackSteps(count, [2, 4], (k, row) => row.set(xOf(from + k).data)),
      rate: stackSteps(count, [], (k, row) => row.set([rateOf(from + k)])),
    };
    const result = await loop.run({ count, state, steps, shared: { scale } });
    ({ state } = result);
    assert.deepEqual(result.trace['y']?.dims, [count, 2, 3]);
    assert.deepEqual(result.trace['length']?.dims, [count]);
    y.push(...floatsOf(result.trace['y']));
    assert.deepEqual(
      [...(result.trace['count']?.data ?? [])],
      Array.from({ length: count }, (_, k) => BigInt(5 + from + k)),
    );
  }
  return { state, y };
}

/** The same steps, one session run each. */
async function runOnHost(): Promise<{ w: Tensor; y: number[] }> {
  const g = new GraphBuilder();
  const declare = (group: LoopTypes[keyof LoopTypes]) =>
    Object.fromEntries(Object.entries(group).map(([name, type]) => [name, g.input(name, type.dtype, type.shape)]));
  const result = body(g, { state: declare(types.state), steps: declare(types.steps), shared: declare(types.shared) });
  g.output('w_next', result.state['w'] ?? assert.fail());
  g.output('y', result.trace['y'] ?? assert.fail());
  const session = await compile(g.build('one_step'), cpu);
  let w: Tensor = start.w;
  const y: number[] = [];
  for (let step = 0; step < total; step++) {
    const feeds = { w, count: start.count, x: xOf(step), rate: float32([], [rateOf(step)]), scale };
    const out = await session.run(feeds);
    w = out['w_next'] ?? assert.fail();
    y.push(...floatsOf(out['y'] ?? assert.fail()));
  }
  await session.close();
  return { w, y };
}

const shapeRefusal = (pattern: RegExp) => (error: unknown) =>
  error instanceof WorkbenchError && error.code === 'SHAPE_MISMATCH' && pattern.test(error.message);

describe('a compiled loop', () => {
  it('gives the bits of single steps driven from the host, for chunks of 1, 3, 7 and all', async () => {
    const host = await runOnHost();
    const loop = await compileLoop('walk', types, body, cpu);
    for (const size of [1, 3, 7, total]) {
      const { state, y } = await runChunks(loop, size);
      assert.deepEqual(state['w']?.data, host.w.data, `chunks of ${size}`);
      assert.deepEqual(y, host.y, `chunks of ${size}`);
      assert.deepEqual([...(state['count']?.data ?? [])], [26n]);
    }
    await loop.close();
  });

  it('refuses values of another shape or type, or none, by name', async () => {
    const loop = await compileLoop('walk', types, body, cpu);
    const good = {
      count: 2,
      state: start,
      steps: { x: filled([2, 2, 4]), rate: filled([2]) },
      shared: { scale },
    };
    const refused: [Partial<typeof good>, RegExp][] = [
      [{ count: 3 }, /Loop walk: expected steps_x to be float32\[3, 2, 4\], got float32\[2, 2, 4\]/],
      [{ state: { ...start, w: filled([3, 4]) } }, /expected state_w to be float32\[4, 3\], got float32\[3, 4\]/],
      [{ shared: { scale: filled([2]) } }, /expected shared_scale to be float32\[3\], got float32\[2\]/],
    ];
    for (const [change, pattern] of refused) {
      await assert.rejects(loop.run({ ...good, ...change }), shapeRefusal(pattern));
    }
    await assert.rejects(loop.run({ ...good, state: { w: start.w } }), shapeRefusal(/state_count .* got nothing/));
    const wholeNumbers = { ...start, w: int64([4, 3], Array(12).fill(0)) };
    await assert.rejects(loop.run({ ...good, state: wholeNumbers }), shapeRefusal(/got int64\[4, 3\]/));
    await loop.run(good);
    await loop.close();
  });

  it('carries state that a step only replaces, hands on untouched, or never reads', async () => {
    const vector = { dtype: 'float32', shape: [2] } as const;
    const loop = await compileLoop(
      'lazy',
      { state: { replaced: vector, kept: vector, twin: vector }, steps: { x: vector, unread: vector }, shared: {} },
      (_, { state, steps }) => {
        const [x, kept] = [steps['x'] ?? assert.fail(), state['kept'] ?? assert.fail()];
        return { state: { replaced: x, kept, twin: kept }, trace: {} };
      },
      cpu,
    );
    const feeds = {
      count: 2,
      state: { replaced: float32([2], [9, 9]), kept: float32([2], [1, 2]), twin: float32([2], [5, 5]) },
      steps: { x: float32([2, 2], [3, 4, 5, 6]), unread: float32([2, 2], [0, 0, 0, 0]) },
      shared: {},
    };
    const { state, trace } = await loop.run(feeds);
    await loop.close();
    assert.deepEqual(
      Object.entries(state).map(([name, { data }]) => [name, ...data]),
      [
        ['replaced', 5, 6],
        ['kept', 1, 2],
        ['twin', 1, 2],
      ],
    );
    assert.deepEqual(trace, {});
  });

  it('ends before its count after the step that says so', async () => {
    const loop = await compileLoop(
      'doubling',
      { state: { v: { dtype: 'float32', shape: [] } }, steps: {}, shared: { most: { dtype: 'float32', shape: [] } } },
      (g, { state: { v }, shared: { most } }) => {
        assert.ok(v && most);
        const next = g.mul(v, 2);
        return { state: { v: next }, trace: { next }, goesOn: g.less(next, most) };
      },
      cpu,
    );
    const run = async (count: number): Promise<number[][]> => {
      const shared = { most: float32([], [20]) };
      const { state, trace } = await loop.run({ count, state: { v: float32([], [3]) }, steps: {}, shared });
      return [state['v'], trace['next']].map((value) => [...floatsOf(value ?? assert.fail())]);
    };
    assert.deepEqual(await run(10), [[24], [6, 12, 24]]);
    assert.deepEqual(await run(2), [[12], [6, 12]]);
    await loop.close();
  });

  it('does not compile a body whose state changes its shape or goes missing', async () => {
    const vector = { dtype: 'float32', shape: [2] } as const;
    const wrong = (next: LoopBody): Promise<CompiledLoop> =>
      compileLoop('wrong', { state: { v: vector }, steps: {}, shared: {} }, next, cpu);
    await assert.rejects(
      wrong((g, { state }) => ({ state: { v: g.reduceSum(state['v'] ?? assert.fail()) }, trace: {} })),
      /state "v" should stay float32\[2\], got float32\[\]/,
    );
    await assert.rejects(
      wrong(() => ({ state: {}, trace: {} })),
      /loop wrong returns state "v"/,
    );
  });
});

describe('rows of a chunk', () => {
  it('are stacked in the order of the steps', () => {
    const { dims, data } = stackSteps(3, [2], (step, row) => row.set([step, 10 * step]));
    assert.deepEqual(dims, [3, 2]);
    assert.deepEqual([...data], [0, 0, 1, 10, 2, 20]);
  });
});
