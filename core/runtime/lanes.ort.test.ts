import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WorkbenchError } from '../base/errors.ts';
import { fillNormal, stream } from '../base/rng.ts';
import { float32, int64, type FloatTensor } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { openLanes, type LaneProcess } from './lanes.ts';
import { compileLoop, type CompiledLoop } from './loop.ts';
import { compile } from './session.ts';

const cpu = { device: 'cpu', threads: 1 } as const;

function openedLanes(t: TestContext, count: number): LaneProcess[] {
  const lanes = openLanes(count);
  t.after(() => Promise.all(lanes.map((lane) => lane.close())));
  return lanes;
}

function gram(size = 24): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [size, size]);
  g.output('y', g.softmax(g.matmul(x, g.transpose(x, [1, 0]))));
  g.output('count', g.add(g.input('n', 'int64', [1]), 1));
  g.output('large', g.greater(x, 0.5));
  return g.build('gram');
}

const normal = (seed: number, size = 24): FloatTensor => {
  const data = new Float32Array(size * size);
  fillNormal(stream(seed, 'x'), data);
  return float32([size, size], data);
};

/** v ← 2 v, as often as is asked for. */
const doubling = (lane: LaneProcess): Promise<CompiledLoop> =>
  compileLoop(
    'twice',
    { state: { v: { dtype: 'float32', shape: [3] } }, steps: {}, shared: {} },
    (g, { state }) => ({ state: { v: g.mul(state['v'] ?? assert.fail(), 2) }, trace: {} }),
    { ...cpu, lane },
  );

/** Work that does not end by itself. */
const endless = { count: 2 ** 40, state: { v: float32([3], [1, 2, 3]) }, steps: {}, shared: {} };

const crash = (error: unknown): boolean =>
  error instanceof WorkbenchError && error.code === 'JOB_CRASHED' && /SIGKILL/.test(error.message);

describe('lanes', () => {
  it('give the bits of a session in this process, for every type that crosses', async (t) => {
    const [lane] = openedLanes(t, 1);
    assert.ok(lane);
    const [here, there] = [await compile(gram(), cpu), await compile(gram(), { ...cpu, lane })];
    assert.deepEqual([there.inputNames, there.outputNames], [here.inputNames, here.outputNames]);
    const feeds = { x: normal(1), n: int64([1], [2 ** 40]) };
    assert.deepEqual(await there.run(feeds), await here.run(feeds));
    await Promise.all([here.close(), there.close()]);
  });

  it('answer several at once, each its own question', async (t) => {
    const lanes = openedLanes(t, 3);
    const sessions = await Promise.all(lanes.map((lane) => compile(gram(), { ...cpu, lane })));
    const here = await compile(gram(), cpu);
    const seeds = Array.from({ length: 12 }, (_, i) => i);
    const answers = await Promise.all(
      seeds.map(async (seed) => sessions[seed % 3]?.run({ x: normal(seed), n: int64([1], [seed]) })),
    );
    for (const seed of seeds) {
      assert.deepEqual(answers[seed], await here.run({ x: normal(seed), n: int64([1], [seed]) }), `seed ${seed}`);
    }
    await here.close();
  });

  it('hold several sessions, and run loops as this process does', async (t) => {
    const [lane] = openedLanes(t, 1);
    assert.ok(lane);
    const twice = await doubling(lane);
    const other = await compile(gram(), { ...cpu, lane });
    const result = await twice.run({ count: 3, state: { v: float32([3], [1, 2, 3]) }, steps: {}, shared: {} });
    assert.deepEqual(result.state['v']?.data, Float32Array.of(8, 16, 24));
    await twice.close();
    assert.ok((await other.run({ x: normal(1), n: int64([1], [0]) }))['y']);
    await assert.rejects(
      twice.run({ count: 1, state: { v: float32([3], [1, 2, 3]) }, steps: {}, shared: {} }),
      /no session/,
    );
  });

  it('hand errors over with code and hint, and live on', async (t) => {
    const [lane] = openedLanes(t, 1);
    assert.ok(lane);
    await assert.rejects(
      lane.open(Uint8Array.of(1, 2), cpu, 'broken.onnx'),
      (error) =>
        error instanceof WorkbenchError &&
        error.code === 'MODEL_UNREADABLE' &&
        /broken\.onnx/.test(error.message) &&
        error.hint !== undefined,
    );
    const session = await compile(gram(), { ...cpu, lane });
    await assert.rejects(session.run({}), /could not run gram/);
    assert.ok(await session.run({ x: normal(1), n: int64([1], [0]) }));
  });

  it('that are killed reject what waits and what comes with JOB_CRASHED, and nothing hangs', async (t) => {
    const [lane, other] = openedLanes(t, 2);
    assert.ok(lane?.pid !== undefined && other);
    const loop = await doubling(lane);
    const healthy = await compile(gram(), { ...cpu, lane: other });
    const feeds = { x: normal(1), n: int64([1], [0]) };
    const waiting = Array.from({ length: 4 }, () => assert.rejects(loop.run(endless), crash));
    process.kill(lane.pid, 'SIGKILL');
    await Promise.all(waiting);
    await assert.rejects(loop.run(endless), crash);
    await assert.rejects(compile(gram(), { ...cpu, lane }), crash);
    await loop.close();
    await lane.close();
    assert.ok(await healthy.run(feeds));
  });

  it('take questions in the moment of their death without harm to this process', async (t) => {
    const [lane] = openedLanes(t, 1);
    assert.ok(lane?.pid !== undefined);
    const session = await compile(gram(), { ...cpu, lane });
    process.kill(lane.pid, 'SIGKILL');
    const feeds = { x: normal(1), n: int64([1], [0]) };
    const failures: unknown[] = [];
    while (failures.length < 20) {
      await session.run(feeds).catch((error: unknown) => failures.push(error));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(failures.every(crash));
  });

  it('close twice, and while they work', async () => {
    const [lane] = openLanes(1);
    assert.ok(lane?.pid !== undefined);
    const loop = await doubling(lane);
    const run = assert.rejects(loop.run(endless), crash);
    await Promise.all([lane.close(), lane.close()]);
    await run;
    assert.throws(() => process.kill(lane.pid ?? 0, 0), /ESRCH/);
  });

  it('end when their parent is gone', async () => {
    const child = fork(fileURLToPath(new URL('lane-process.ts', import.meta.url)), [], { serialization: 'advanced' });
    const opened = once(child, 'message');
    child.send({ type: 'close', session: 0, id: 0 });
    await opened;
    const exit = once(child, 'exit');
    child.disconnect();
    assert.deepEqual(await exit, [0, null]);
  });
});
