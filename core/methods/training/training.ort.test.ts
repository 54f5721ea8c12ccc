import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { z } from 'zod';
import { float32 } from '../../base/tensor.ts';
import type { DataRef } from '../../contract/run.ts';
import { memorySet } from '../../data/dataset.ts';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { npzBytes } from '../../data/write.ts';
import { openClassifier } from '../../onnx/classifier.ts';
import { writeModel } from '../../onnx/write.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { registry } from '../registry.ts';
import {
  artifactBytes,
  drive,
  plainContext,
  storeSet,
  temporaryFolder,
  type Driven,
  type DriveOptions,
} from '../testing/drive.ts';
import { report } from './report.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

const dir = temporaryFolder({ after });
const train = await storeSet(dir, 'train', tinyShapesSet(1, 400, [1, 12, 12]));
const test = await storeSet(dir, 'test', tinyShapesSet(2, 200, [1, 12, 12]));

const quick = { epochs: 6, batchSize: 32, learningRate: 0.01, seed: 5 };

interface Given {
  readonly params?: Partial<Params>;
  readonly data?: Record<string, DataRef>;
  readonly model?: RunContext<Params>['models'][string];
  readonly context?: Partial<RunContext<Params>>;
}

const trained = (given: Given = {}, options: DriveOptions = {}): Promise<Driven> =>
  drive(
    run,
    {
      ...plainContext(),
      params: spec.params.parse({ ...quick, ...given.params }),
      models: { model: given.model ?? { kind: 'zoo', architecture: 'mlp' } },
      data: given.data ?? { train, test },
      ...given.context,
    },
    options,
  );

function storedModel(path: string, bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  return path;
}

describe('supervised training', () => {
  it('learns tiny shapes and gives away a classifier that says how it was made', async () => {
    const result = await trained();
    assert.ok((result.metrics?.['testAccuracy'] ?? 0) >= 0.95, `accuracy ${result.metrics?.['testAccuracy']}`);
    assert.ok((result.metrics?.['finalLoss'] ?? 9) < 0.3, `loss ${result.metrics?.['finalLoss']}`);
    assert.equal(Object.keys(result.series['loss'] ?? {}).length, 75);
    assert.equal(result.metrics?.['parameters'], 144 * 128 + 128 + 128 * 4 + 4);
    const path = join(dir, 'learned.onnx');
    writeFileSync(path, artifactBytes(result, 'model.onnx'));
    const { model, description } = await openClassifier(path);
    assert.equal(model.opset, 21);
    assert.equal(model.graph.inputs[0]?.shape?.[0], 'batch');
    assert.equal(description.classCount, 4);
    assert.equal(model.metadata['palimpsest.testAccuracy'], String(result.metrics?.['testAccuracy']));
    assert.match(model.metadata['palimpsest.train'] ?? '', /400 images, [0-9a-f]{64}$/);
    assert.equal(
      z.object({ epochs: z.number() }).parse(JSON.parse(model.metadata['palimpsest.params'] ?? '')).epochs,
      6,
    );
  });

  it('goes on from a checkpoint to the same bits, however it is cut into chunks', async () => {
    const params = { augmentShift: 1, augmentRotation: 10, schedule: 'cosine', epochs: 2 } as const;
    const model = { kind: 'zoo', architecture: 'lenet5-half' } as const;
    const [big, bigTest] = [
      await storeSet(dir, 'train-16', tinyShapesSet(1, 200, [1, 16, 16])),
      await storeSet(dir, 'test-16', tinyShapesSet(2, 50, [1, 16, 16])),
    ];
    const data = { train: big, test: bigTest };
    const straight = await trained({ params, model, data });
    const first = await trained(
      { params, model, data, context: plainContext(400) },
      { stopAt: (offer) => offer === 4 },
    );
    assert.equal(first.metrics, undefined);
    const second = await trained({ params, model, data, context: { ...plainContext(90), resume: first.checkpoint } });
    assert.deepEqual(second.metrics, straight.metrics);
    assert.deepEqual({ ...first.series['loss'], ...second.series['loss'] }, straight.series['loss']);
    assert.ok(artifactBytes(second, 'model.onnx').equals(artifactBytes(straight, 'model.onnx')));
  });

  it('goes on from the last checkpoint to the evaluation', async () => {
    const straight = await trained({ params: { epochs: 1 } });
    const first = await trained(
      { params: { epochs: 1 } },
      { stopAt: (offer) => offer === straight.checkpointCount - 1 },
    );
    assert.equal(first.checkpoint?.step, 13);
    const second = await trained({ params: { epochs: 1 }, context: { resume: first.checkpoint } });
    assert.deepEqual(second.metrics, straight.metrics);
    assert.ok(artifactBytes(second, 'model.onnx').equals(artifactBytes(straight, 'model.onnx')));
  });

  it('trains a file further', async () => {
    const path = join(dir, 'start.onnx');
    const first = await trained({ params: { epochs: 1 } });
    writeFileSync(path, artifactBytes(first, 'model.onnx'));
    const second = await trained({
      model: { kind: 'file', path },
      params: { optimiser: 'sgd', momentum: 0.9, nesterov: true, learningRate: 0.05, epochs: 3 },
    });
    const [before, now] = [first.metrics?.['finalLoss'] ?? 9, second.metrics?.['finalLoss'] ?? 9];
    assert.ok(now < before / 2, `${now} after ${before}`);
  });

  it('stops within a chunk of being told', async () => {
    await assert.rejects(
      trained({ context: plainContext(1000), params: { epochs: 50 } }, { cancelAt: (offer) => offer === 1 }),
      (error: Error) => error.name === 'AbortError',
    );
  });

  it('says in the report what was reached', async () => {
    const result = await trained({ params: { epochs: 1 } });
    const evaluation: unknown = JSON.parse(artifactBytes(result, 'evaluation').toString());
    const document = report({
      params: {},
      metrics: result.metrics ?? {},
      series: {
        loss: Object.entries(result.series['loss'] ?? {}).map(([step, value]) => ({
          name: 'loss',
          step: Number(step),
          value,
        })),
      },
      json: (name) => (name === 'evaluation' ? evaluation : undefined),
      image: () => undefined,
      artifactNames: [...result.artifacts.keys()],
    });
    assert.match(document.conclusion, /recognises \d+\.\d % of 200 test images/);
    assert.deepEqual(
      document.sections.map(({ title }) => title),
      ['Training', 'Test'],
    );
  });
});

describe('bad input of a training', () => {
  const unlabelled = memorySet({ title: 'plain', images: new Float32Array(10 * 144), shape: [1, 12, 12] });
  const oneClass = memorySet({
    title: 'one',
    images: new Float32Array(10 * 144),
    shape: [1, 12, 12],
    labels: new Int32Array(10),
  });

  it('refuses images without labels', async () => {
    const data = { train: await storeSet(dir, 'unlabelled', unlabelled) };
    await assert.rejects(trained({ data }), { code: 'DATA_UNSUITABLE', message: /no labels/ });
  });

  it('refuses a single class', async () => {
    const data = { train: await storeSet(dir, 'one', oneClass) };
    await assert.rejects(trained({ data }), { code: 'DATA_UNSUITABLE', message: /at least 2 classes, got 1/ });
  });

  it('refuses a test set with more classes than the training set', async () => {
    const data = { train, test: await storeSet(dir, 'many', tinyShapesSet(1, 50, [1, 12, 12], 10)) };
    await assert.rejects(trained({ data }), { code: 'DATA_UNSUITABLE', message: /4 classes/ });
  });

  it('takes the pre-processing and the open sizes of a file as they are given, and says them in what it writes', async () => {
    const plain = join(dir, 'plain.onnx');
    const first = await trained({ params: { epochs: 1 } });
    const { model } = await openClassifier(storedModel(plain, artifactBytes(first, 'model.onnx')));
    const [input] = model.graph.inputs;
    assert.ok(input);
    const inputs = [{ ...input, shape: ['batch', 1, 'height', 12] }];
    const open = storedModel(join(dir, 'open.onnx'), writeModel({ ...model, graph: { ...model.graph, inputs } }));
    const normalisation = { mean: [0.25], std: [0.5] };
    const given = { kind: 'file', path: open, normalisation, dims: { height: 12 } } as const;
    const result = await trained({ params: { epochs: 1 }, model: given });
    const again = await openClassifier(storedModel(join(dir, 'again.onnx'), artifactBytes(result, 'model.onnx')));
    assert.deepEqual(JSON.parse(again.model.metadata['palimpsest.normalisation'] ?? ''), normalisation);
  });

  it('refuses a file that takes other images than there are', async () => {
    const path = join(dir, 'other.onnx');
    writeFileSync(path, artifactBytes(await trained({ params: { epochs: 1 } }), 'model.onnx'));
    const data = { train: await storeSet(dir, 'large', tinyShapesSet(1, 50, [1, 16, 16])) };
    await assert.rejects(trained({ data, model: { kind: 'file', path } }), {
      code: 'DATA_UNSUITABLE',
      message: /16 × 16/,
    });
  });

  it('refuses images with numbers that are not finite', async () => {
    const path = join(dir, 'nan.npz');
    const labels = { dtype: 'int32' as const, dims: [4], data: Int32Array.of(0, 1, 0, 1) };
    writeFileSync(
      path,
      npzBytes({ images: float32([4, 1, 12, 12], new Float32Array(4 * 144).fill(Number.NaN)), labels }),
    );
    const data = { train: { path, format: 'auto', split: 'all' } } as const;
    await assert.rejects(trained({ data }), { code: 'DATA_UNREADABLE' });
  });

  it('stops when the loss is no longer a number, naming the step', async () => {
    // Decay alone multiplies every weight by −99 at each step.
    const params = { optimiser: 'sgd', schedule: 'constant', learningRate: 100, weightDecay: 1 } as const;
    await assert.rejects(trained({ params }), { code: 'NUMERIC_DIVERGED', message: /at step \d+/ });
  });

  it('refuses parameters that it does not know or that are out of range', async () => {
    const start = registry['training']?.start(
      { epochs: 0, lerningRate: 1 },
      { ...plainContext(), models: {}, data: {} },
    );
    await assert.rejects(start ?? Promise.resolve(), { code: 'PARAM_INVALID', message: /epochs: .*lerningRate/s });
  });
});
