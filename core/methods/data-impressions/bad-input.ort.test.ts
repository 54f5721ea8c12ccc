import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { WorkbenchError, type ErrorCode } from '../../base/errors.ts';
import { float32 } from '../../base/tensor.ts';
import type { Value } from '../../autodiff/builder.ts';
import type { ModelRef } from '../../contract/run.ts';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { withParameters } from '../../train/parameters.ts';
import { storeModel, tinyClasses, tinyNet, tinyShape } from '../../train/testing/tiny-teacher.ts';
import { Network } from '../../train/zoo/network.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { drive, plainContext, storeSet, temporaryFolder, type Driven } from '../testing/drive.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

const dir = temporaryFolder({ after });
const params = { count: 12, steps: 2, epochs: 1, batchSize: 12, synthesisBatchSize: 12, controlNoise: false, lanes: 1 };
const file = (path: string): ModelRef => ({ kind: 'file', path });
const good = file(storeModel(dir, 'good.onnx', tinyNet()));
const [channels, height, width] = tinyShape;

/** A teacher that ends in its own way. */
function ending(name: string, end: (net: Network, features: Value) => Value): ModelRef {
  const net = new Network(name, { channels, height, width, classes: tinyClasses, seed: 1 });
  return file(storeModel(dir, `${name}.onnx`, net.finish(end(net, net.flatten(net.input)))));
}

interface Given {
  readonly teacher?: ModelRef;
  readonly student?: ModelRef;
  readonly data?: RunContext<Params>['data'];
  readonly params?: Partial<Params>;
}

const ran = ({
  teacher = good,
  student = { kind: 'zoo', architecture: 'mlp' },
  data = {},
  params: more,
}: Given): Promise<Driven> =>
  drive(run, {
    ...plainContext(),
    params: spec.params.parse({ ...params, ...more }),
    models: { teacher, student },
    data,
  });

async function refuses(given: Given, code: ErrorCode, pattern: RegExp): Promise<void> {
  await assert.rejects(ran(given), (error) => {
    assert.ok(error instanceof WorkbenchError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.ok(error.hint, error.message);
    return true;
  });
}

describe('data impressions with a teacher', () => {
  it('that is no model refuse it, naming the file', async () => {
    writeFileSync(join(dir, 'text.onnx'), 'no model');
    await refuses({ teacher: file(join(dir, 'text.onnx')) }, 'MODEL_UNREADABLE', /text\.onnx/);
    await refuses({ teacher: file(dir) }, 'MODEL_UNREADABLE', /directory/);
    await refuses({ teacher: file(join(dir, 'absent.onnx')) }, 'MODEL_UNREADABLE', /absent\.onnx/);
  });

  it('that is only an architecture refuse it: there is nothing to read out', async () => {
    await refuses({ teacher: { kind: 'zoo', architecture: 'mlp' } }, 'MODEL_UNSUITABLE', /trained model file.*"mlp"/);
  });

  it('with NaN in its weights refuse it', async () => {
    const broken = withParameters(tinyNet(), { 'fc2.bias': float32([tinyClasses], [0, NaN, 0, 0]) });
    await refuses({ teacher: file(storeModel(dir, 'nan.onnx', broken)) }, 'MODEL_NOT_FINITE', /fc2\.bias/);
  });

  it('that ends in a softmax use the logits before it, and say so', async () => {
    const soft = ending('soft', (net, x) => net.g.softmax(net.linear('fc', x, tinyClasses), 1));
    const { logs, metrics } = await ran({ teacher: soft });
    assert.ok(
      logs.some((line) => /soft\.onnx.*ends in a softmax, the logits before it are used/.test(line)),
      logs.join(),
    );
    assert.ok(Number.isFinite(metrics?.['excessLoss']));
  });

  it('without class templates make one-hot and uniform targets only', async () => {
    const bent = ending('bent', (net, x) => net.g.tanh(net.linear('fc', x, tinyClasses)));
    await refuses({ teacher: bent }, 'MODEL_UNSUITABLE', /bent\.onnx does not end in a linear layer.*"dirichlet"/);
    await refuses({ teacher: bent, params: { targets: 'shuffled' } }, 'MODEL_UNSUITABLE', /"shuffled"/);
    for (const targets of ['one-hot', 'uniform'] as const) {
      const { artifacts } = await ran({ teacher: bent, params: { targets } });
      assert.ok(artifacts.has('student.onnx') && !artifacts.has('class-similarity'));
    }
  });

  it('that was exported in training mode warn of it', async () => {
    const moody = ending('moody', (net, x) => {
      const of = (part: string, value: number): Value =>
        net.g.constant(float32([100], Array<number>(100).fill(value)), part);
      const [normed] = net.g.op(
        'BatchNormalization',
        [x, of('weight', 1), of('bias', 0), of('mean', 0), of('variance', 1)],
        { training_mode: { type: 'int', value: 1 } },
        { outputs: 3 },
      );
      return net.linear('fc', normed ?? assert.fail(), tinyClasses);
    });
    const { logs } = await ran({ teacher: moody });
    assert.ok(
      logs.some((line) => line.startsWith('warning: moody.onnx was exported in training mode')),
      logs.join('\n'),
    );
  });

  it('without batch norm refuse its prior', async () => {
    await refuses({ params: { batchNormPrior: 1 } }, 'MODEL_UNSUITABLE', /good\.onnx has none/);
  });
});

describe('data impressions with a student or data', () => {
  it('of other classes or another image size refuse them', async () => {
    const other = file(storeModel(dir, 'other.onnx', tinyNet({ classes: 3 })));
    await refuses(
      { student: other },
      'MODEL_UNSUITABLE',
      /student other\.onnx does not fit: it has 3 classes, expected 4/,
    );
    const wide = await storeSet(dir, 'wide', tinyShapesSet(1, 8, [1, 12, 12]));
    await refuses({ data: { test: wide } }, 'DATA_UNSUITABLE', /test data do not fit good\.onnx: .*12 × 12/);
    await refuses({ data: { real: wide } }, 'DATA_UNSUITABLE', /real data do not fit/);
    const many = await storeSet(dir, 'many', tinyShapesSet(1, 20, tinyShape, 10));
    await refuses({ data: { test: many } }, 'DATA_UNSUITABLE', /label 4 .*4 classes/);
  });

  it('that are not there refuse them', async () => {
    const absent = { path: join(dir, 'absent.npz'), format: 'auto', split: 'all' } as const;
    await refuses({ data: { test: absent } }, 'DATA_UNREADABLE', /absent\.npz/);
  });

  it('may be a file of its own, which is trained and keeps its ends', async () => {
    const { artifacts } = await ran({ student: file(storeModel(dir, 'own.onnx', tinyNet({ hidden: 5, seed: 7 }))) });
    const content = artifacts.get('student.onnx');
    assert.ok(content && 'bytes' in content);
    writeFileSync(join(dir, 'trained.onnx'), content.bytes);
    await ran({ teacher: file(join(dir, 'trained.onnx')) });
  });
});

describe('data impressions that diverge', () => {
  it('stop with phase, step and the last finite value', async () => {
    await refuses(
      { params: { temperature: 1e-38 } },
      'NUMERIC_DIVERGED',
      /synthesis loss of batch 0 .*step 0; there was no finite loss/,
    );
    await refuses({ params: { distillTemperature: 1e-38 } }, 'NUMERIC_DIVERGED', /loss of student .*step 0 /);
  });
});
