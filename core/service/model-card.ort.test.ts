import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { requests, type RequestName, type RequestParams, type RequestResult } from '../contract/bridge.ts';
import { memorySet } from '../data/dataset.ts';
import { temporaryFolder, tickingClock, toyOptions } from '../jobs/testing/toy-workspace.ts';
import { catalogue } from '../methods/catalogue.ts';
import { storeSet } from '../methods/testing/drive.ts';
import { openWorkspace } from '../store/workspace.ts';
import { openService } from './service.ts';

const path = 'bundled:lenet5-mnist';

function open(t: TestContext) {
  const dir = temporaryFolder(t);
  const service = openService({
    workspace: openWorkspace(dir, toyOptions()),
    specs: catalogue,
    now: tickingClock(),
    elapsed: tickingClock(0),
    cwd: dir,
  });
  t.after(() => service.close());
  const ask = async <K extends RequestName>(name: K, params: RequestParams<K>): Promise<RequestResult<K>> => {
    const answer = await service.request(name, params);
    assert.ok(answer.ok, JSON.stringify(answer));
    return requests[name].out.parse(answer.result) as never;
  };
  return { ask, dir };
}

describe('the card of a model', () => {
  it('keeps what the user says about pixels, and every run takes it from there', async (t) => {
    const { ask } = open(t);
    const teacher = async () => {
      const draft = { methodId: 'data-impressions', params: {}, models: {}, data: {} };
      return (await ask('runs.assess', draft)).request?.models['teacher'];
    };
    const before = await teacher();
    assert.ok(before?.kind === 'file' && before.normalisation === undefined);
    const normalisation = { mean: [0.1307], std: [0.3081] };
    await ask('models.annotate', { path, normalisation });
    const after = await teacher();
    assert.deepEqual(after?.kind === 'file' && after.normalisation, normalisation);
    await ask('models.annotate', { path, normalisation: null });
    assert.deepEqual(await teacher(), before);
  });

  it('keeps what its classes are called, and a run draws with those names', async (t) => {
    const { ask } = open(t);
    const classNames = Array.from({ length: 10 }, (_, k) => `digit, ${k}`);
    await ask('models.annotate', { path, classNames });
    const draft = { methodId: 'data-impressions', params: {}, models: {}, data: {} };
    const { request, command } = await ask('runs.assess', draft);
    const teacher = request?.models['teacher'];
    assert.deepEqual(teacher?.kind === 'file' && teacher.classNames, classNames);
    assert.match(command ?? '', /--teacher-classes '\["digit, 0",/);
  });

  it('says of every method what the model can be there', async (t) => {
    const { ask } = open(t);
    const methods = await ask('models.methods', { path });
    const impressions = methods.find(({ methodId }) => methodId === 'data-impressions');
    assert.deepEqual(impressions?.roles, [
      { role: 'teacher', problem: null },
      { role: 'student', problem: null },
    ]);
    const withModels = catalogue.filter(({ models }) => Object.keys(models).length > 0);
    assert.equal(methods.length, withModels.length);
  });

  it('tries the usual pre-processings on labelled images in a process of its own', async (t) => {
    const { ask, dir } = open(t);
    const shape = [1, 28, 28] as const;
    const images = Float32Array.from({ length: 12 * 784 }, (_, i) => (i % 7) / 7);
    const labels = Int32Array.from({ length: 12 }, (_, i) => i % 10);
    const data = await storeSet(dir, 'few', memorySet({ title: 'few', images, shape: [...shape], labels }));
    const { count, chance, readings } = await ask('models.sanity', { path, data });
    assert.deepEqual([count, chance], [12, 0.1]);
    assert.ok(readings.some(({ title }) => title === 'MNIST, mean and deviation'));
    for (const { accuracy, interval } of readings) assert.ok(interval[0] <= accuracy && accuracy <= interval[1]);
  });
});
