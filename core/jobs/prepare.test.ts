import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RunRequest } from '../contract/run.ts';
import type { MethodRegistry } from '../methods/registry.ts';
import { checkIdentity } from './checkpoint-manifest.ts';
import { hashFiles } from './inputs.ts';
import { prepareJob, type PreparedJob } from './prepare.ts';
import { toyInputs, toyRegistry } from './testing/toy-method.ts';
import { temporaryFolder, toyRequest } from './testing/toy-workspace.ts';

const prepare = (request: RunRequest, registry: MethodRegistry = toyRegistry): Promise<PreparedJob> =>
  prepareJob(
    { type: 'start', runId: '20261122-101530-k3f9', jobId: 'job', workspaceDir: '/', request, resume: false },
    { registry, inputs: toyInputs },
  );

describe('preparing a job', () => {
  it('lifts parameters of an older version and refuses those of a newer one', async () => {
    const walk = toyRegistry['walk'];
    assert.ok(walk);
    const spec = { ...walk.spec, version: 2, migrations: { 1: (params: object) => ({ ...params, lifted: true }) } };
    const prepared = await prepare(toyRequest(), { walk: { ...walk, spec } });
    assert.equal(prepared.request.params['lifted'], true);
    assert.equal(prepared.identity.methodVersion, 2);
    await assert.rejects(prepare({ ...toyRequest(), methodVersion: 3 }), {
      code: 'PARAM_INVALID',
      message: /version 3/,
    });
  });

  it('knows the same request by its content, not by the order of its keys', async () => {
    const request = toyRequest();
    const turned = { ...request, params: Object.fromEntries(Object.entries(request.params).toReversed()) };
    const [one, two, other] = await Promise.all([prepare(request), prepare(turned), prepare(toyRequest({ seed: 4 }))]);
    assert.deepEqual(one.identity, two.identity);
    assert.notEqual(one.identity.request, other.identity.request);
  });

  it('gives model files their hash, and refuses one that is not the file that was asked for', async (t) => {
    const path = join(temporaryFolder(t), 'model.onnx');
    writeFileSync(path, 'model');
    const sha256 = createHash('sha256').update('model').digest('hex');
    const prepared = await prepare({ ...toyRequest(), models: { teacher: { kind: 'file', path } } });
    assert.deepEqual(prepared.request.models['teacher'], { kind: 'file', path, sha256 });
    assert.equal(prepared.environment.models['teacher'], sha256);
    const other = { teacher: { kind: 'file', path, sha256: 'f'.repeat(64) } } as const;
    await assert.rejects(prepare({ ...toyRequest(), models: other }), { code: 'MODEL_UNREADABLE', message: /changed/ });
  });
});

describe('a model in several files', () => {
  it('has the hash of each of them in the environment, and in what its checkpoints depend on', async (t) => {
    const path = join(temporaryFolder(t), 'model.onnx');
    writeFileSync(path, 'model');
    const request: RunRequest = { ...toyRequest(), models: { teacher: { kind: 'file', path } } };
    const command = { type: 'start', runId: '20261122-101530-k3f9', jobId: 'job', workspaceDir: '/' } as const;
    const prepared = (hash: string) =>
      prepareJob(
        { ...command, request, resume: false },
        {
          registry: toyRegistry,
          inputs: { ...toyInputs, hashWeights: async () => ({ 'model.onnx.data': hash }) },
        },
      );
    const [one, other] = [await prepared('a'), await prepared('b')];
    assert.deepEqual(one.environment.weights, { teacher: { 'model.onnx.data': 'a' } });
    assert.throws(() => checkIdentity(one.identity, other.identity, 'run'), {
      code: 'CHECKPOINT_STALE',
      message: /weights of "teacher" in "model\.onnx\.data" a, this is b/,
    });
    checkIdentity((await prepare(request)).identity, one.identity, 'run');
    assert.equal((await prepare(request)).environment.weights, undefined);
  });
});

describe('the hash of a data set', () => {
  it('depends on names and contents below its folder, not on where it lies', async (t) => {
    const base = temporaryFolder(t);
    const hash = (name: string) => hashFiles.hashData('test', { path: join(base, name), format: 'auto', split: 'all' });
    mkdirSync(join(base, 'a', 'cats'), { recursive: true });
    writeFileSync(join(base, 'a', 'cats', '1.png'), 'one');
    const before = await hash('a');
    renameSync(join(base, 'a'), join(base, 'b'));
    assert.equal(await hash('b'), before);
    renameSync(join(base, 'b', 'cats', '1.png'), join(base, 'b', 'cats', '2.png'));
    assert.notEqual(await hash('b'), before);
  });

  it('depends on files that are links, and on those that are read along with the one that was named', async (t) => {
    const base = temporaryFolder(t);
    mkdirSync(join(base, 'linked'));
    writeFileSync(join(base, 'images'), 'images');
    writeFileSync(join(base, 'labels'), '1');
    symlinkSync(join(base, 'labels'), join(base, 'linked', 'labels'));
    const hash = (name: string, beside: readonly string[] = []) =>
      hashFiles.hashData('test', { path: join(base, name), format: 'auto', split: 'all' }, beside);
    const labels = [join(base, 'labels')];
    const before = [await hash('images'), await hash('images', labels), await hash('linked')];
    writeFileSync(join(base, 'labels'), '2');
    const after = [await hash('images'), await hash('images', labels), await hash('linked')];
    assert.deepEqual(
      before.map((sum, i) => sum === after[i]),
      [true, false, false],
    );
  });

  it('is not made of what never ends', async () => {
    const endless = { path: '/dev/zero', format: 'auto', split: 'all' } as const;
    if (!existsSync(endless.path)) return;
    await assert.rejects(hashFiles.hashData('test', endless), { code: 'DATA_UNREADABLE', message: /expected a file/ });
  });

  it('of nothing is an error that names the place', async () => {
    const missing = { path: '/nowhere/at/all', format: 'auto', split: 'all' } as const;
    await assert.rejects(hashFiles.hashData('test', missing), { code: 'DATA_UNREADABLE', message: /nowhere/ });
    const model = { kind: 'file', path: '/' } as const;
    await assert.rejects(hashFiles.hashModel('teacher', model), { code: 'MODEL_UNREADABLE', message: /folder/ });
  });
});
