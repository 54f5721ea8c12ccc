import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { float32, floatsOf, int64, sizeOf, tensor, type Tensor } from '../base/tensor.ts';
import type { Graph, OnnxModel } from '../onnx/graph.ts';
import { writeModel } from '../onnx/write.ts';
import { openSession } from '../runtime/session.ts';
import { crossEntropy } from './losses.ts';
import { createOptimiser, type Optimiser } from './optimisers.ts';
import { trainableParameters, withParameters } from './parameters.ts';
import { constantSchedule } from './schedules.ts';
import { createTrainingLoop, type TrainingLoop } from './training-loop.ts';
import { buildArchitecture } from './zoo/architectures.ts';
import { Network } from './zoo/network.ts';

interface Trace {
  readonly losses: readonly number[];
  readonly norms: Readonly<Record<string, number>>;
  readonly heads: Readonly<Record<string, readonly number[]>>;
}

const fixture = (name: string): Trace =>
  JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), 'utf8')).value as Trace;

/** scale · sin(0.37·i + phase), as bench/reference/train_fixtures.py makes it. */
const wave = (dims: readonly number[], phase: number, scale: number, offset = 0): Tensor =>
  float32(
    dims,
    Float32Array.from({ length: sizeOf(dims) }, (_, i) => Math.fround(Math.sin(i * 0.37 + phase) * scale) + offset),
  );

function withWaves(model: OnnxModel): OnnxModel {
  const tensors = trainableParameters(model.graph).map(({ name, dims }, index) => {
    const fan = dims.length > 1 ? sizeOf(dims.slice(1)) : 16;
    return [name, wave(dims, index, 1.5 / Math.sqrt(fan))] as const;
  });
  return withParameters(model, Object.fromEntries(tensors));
}

/** Two convolutions with batch norm, then a linear layer; input [2, 8, 8], 3 classes. */
function smallNet(dropout = 0): OnnxModel {
  const net = new Network('small', { channels: 2, height: 8, width: 8, classes: 3, seed: 0 });
  let x = net.relu(net.batchNorm('bn1', net.conv('conv1', net.input, 4, 3, { pad: 1, bias: false })));
  if (dropout > 0) x = net.dropout('drop', x, dropout);
  x = net.relu(net.batchNorm('bn2', net.conv('conv2', x, 4, 3, { stride: 2, pad: 1 })));
  return net.finish(net.linear('fc', net.globalPool(x), 3));
}

interface Problem {
  readonly graph: Graph;
  readonly shape: readonly number[];
  readonly classes: number;
  readonly optimiser: Optimiser;
  readonly learningRate: number;
}

const openLoop = ({ graph, shape, optimiser, learningRate }: Problem): Promise<TrainingLoop> =>
  createTrainingLoop({
    graph,
    steps: { images: { dtype: 'float32', shape }, labels: { dtype: 'int64', shape: [shape[0] ?? 0] } },
    input: (_, { steps: { images } }) => images ?? assert.fail(),
    loss: (g, { logits, steps: { labels } }) => ({ loss: crossEntropy(g, logits, labels ?? assert.fail()) }),
    optimiser,
    schedule: constantSchedule(learningRate),
    seed: 5,
    session: { device: 'cpu', threads: 1 },
  });

function batches({ shape, classes }: Problem, first: number, count: number) {
  const [n = 0] = shape;
  const images = new Float32Array(count * sizeOf(shape));
  const labels: number[] = [];
  for (let k = 0; k < count; k++) {
    images.set(floatsOf(wave(shape, 0.3 * (first + k), 0.5, 0.5)), k * sizeOf(shape));
    for (let i = 0; i < n; i++) labels.push((i * 3 + first + k) % classes);
  }
  return { steps: { images: tensor('float32', [count, ...shape], images), labels: int64([count, n], labels) } };
}

async function train(problem: Problem, chunks: readonly number[]) {
  const loop = await openLoop(problem);
  const losses: number[] = [];
  for (const count of chunks) {
    const trace = await loop.run(count, batches(problem, loop.step, count));
    losses.push(...(trace['loss'] ?? []));
  }
  const result = { losses, parameters: loop.parameters(), snapshot: loop.snapshot() };
  await loop.close();
  return result;
}

function assertClose(actual: number, expected: number, tolerance: number, what: string): void {
  assert.ok(
    Math.abs(actual - expected) <= tolerance * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, expected ${expected}`,
  );
}

function assertFollows(
  trace: Trace,
  { losses, parameters }: Awaited<ReturnType<typeof train>>,
  tolerance: number,
): void {
  losses.forEach((loss, i) => assertClose(loss, trace.losses[i] ?? NaN, tolerance, `loss of step ${i}`));
  assert.deepEqual(Object.keys(parameters).sort(), Object.keys(trace.norms).sort());
  for (const [name, value] of Object.entries(parameters)) {
    const data = floatsOf(value);
    assertClose(Math.hypot(...data), trace.norms[name] ?? NaN, tolerance, `norm of ${name}`);
    trace.heads[name]?.forEach((expected, i) => assertClose(data[i] ?? NaN, expected, tolerance, `${name}[${i}]`));
  }
}

const lenetHalf: Problem = {
  graph: withWaves(buildArchitecture('lenet5-half', { channels: 1, height: 28, width: 28, classes: 10, seed: 0 }))
    .graph,
  shape: [8, 1, 28, 28],
  classes: 10,
  optimiser: createOptimiser('adam'),
  learningRate: 2e-3,
};
const small: Problem = {
  graph: withWaves(smallNet()).graph,
  shape: [6, 2, 8, 8],
  classes: 3,
  optimiser: createOptimiser('sgd', { momentum: 0.9 }),
  learningRate: 0.05,
};

describe('a training loop', () => {
  it('follows five Adam steps of LeNet-5-Half in PyTorch', async () => {
    assertFollows(fixture('lenet5-half'), await train(lenetHalf, [5]), 1e-4);
  });

  it('follows four SGD steps of a batch-norm net in PyTorch, running statistics too', async () => {
    assertFollows(fixture('small'), await train(small, [4]), 1e-4);
  });

  it('gives the same bits however the steps are cut into chunks, with dropout', async () => {
    const problem = { ...small, graph: withWaves(smallNet(0.3)).graph };
    const whole = await train(problem, [7]);
    for (const chunks of [
      [1, 1, 1, 1, 1, 1, 1],
      [3, 3, 1],
      [2, 5],
    ]) {
      const cut = await train(problem, chunks);
      assert.deepEqual(cut.losses, whole.losses);
      assert.deepEqual(cut.parameters, whole.parameters);
    }
  });

  it('goes on from a snapshot as if it had not stopped', async () => {
    const whole = await train(small, [6]);
    const half = await train(small, [3]);
    const loop = await openLoop(small);
    loop.restore(half.snapshot);
    assert.equal(loop.step, 3);
    await loop.run(3, batches(small, 3, 3));
    assert.deepEqual(loop.parameters(), whole.parameters);
    await loop.close();
  });

  it('learns a fixed batch', async () => {
    const loop = await openLoop({ ...lenetHalf, learningRate: 5e-3 });
    const one = batches(lenetHalf, 0, 1).steps;
    const fixed = {
      images: tensor(
        'float32',
        [20, ...lenetHalf.shape],
        Float32Array.from({ length: 20 * 6272 }, (_, i) => Number(one.images.data[i % 6272])),
      ),
      labels: int64(
        [20, 8],
        Array.from({ length: 160 }, (_, i) => Number(one.labels.data[i % 8])),
      ),
    };
    const { loss = assert.fail() } = await loop.run(20, { steps: fixed });
    await loop.close();
    assert.ok((loss.at(-1) ?? 9) < 0.7 * (loss[0] ?? 0), `loss ${loss[0]} → ${loss.at(-1)}`);
  });

  it('stops when the loss is not a number, and keeps the state before the chunk', async () => {
    const loop = await openLoop(small);
    await loop.run(2, batches(small, 0, 2));
    const before = loop.parameters();
    const feeds = batches(small, 2, 3);
    const poisoned = feeds.steps.images.data;
    poisoned[sizeOf(small.shape) + 1] = NaN;
    await assert.rejects(loop.run(3, feeds), (error: unknown) => {
      assert.match(String(error), /step 3 \(last finite loss [\d.]+\)/);
      assert.equal((error as { code?: string }).code, 'NUMERIC_DIVERGED');
      return true;
    });
    assert.deepEqual(loop.parameters(), before);
    assert.equal(loop.step, 2);
    await loop.close();
  });

  it('refuses a snapshot of another model', async () => {
    const loop = await openLoop(small);
    assert.throws(() => loop.restore({ step: 1, tensors: {} }), { code: 'CHECKPOINT_STALE' });
    await loop.close();
  });

  it('puts trained weights back into a model that keeps its symbolic batch', async () => {
    const model = smallNet();
    const { parameters } = await train({ ...small, graph: model.graph }, [2]);
    const trained = withParameters(model, parameters);
    assert.deepEqual(trained.graph.inputs[0]?.shape, ['batch', 2, 8, 8]);
    const session = await openSession(writeModel(trained), { device: 'cpu', threads: 1 }, 'trained');
    const { logits } = await session.run({ input: wave([3, 2, 8, 8], 0, 1) });
    await session.close();
    assert.deepEqual(logits?.dims, [3, 3]);
    assert.ok(!floatsOf(logits ?? assert.fail()).some(Number.isNaN));
  });
});
