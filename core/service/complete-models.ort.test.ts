import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { ModelRef, RunRequest } from '../contract/run.ts';
import { spec } from '../methods/arbitrary-transfer/spec.ts';
import { storeModel, tinyNet } from '../train/testing/tiny-teacher.ts';
import { commandLine } from '../methods/command-line.ts';
import { completeModels } from './complete-models.ts';
import { inspector } from './model-inspector.ts';

const dir = mkdtempSync(join(tmpdir(), 'complete-'));
after(() => rmSync(dir, { recursive: true }));
const path = storeModel(dir, 'model.onnx', tinyNet());
const inspect = inspector(dir);

const requestOf = (teacher: ModelRef): RunRequest => ({
  methodId: spec.id,
  methodVersion: 1,
  params: {},
  models: { teacher, student: { kind: 'zoo', architecture: 'lenet5-half' } },
  data: {},
  device: 'cpu',
  threads: 1,
});

describe('a request for a run', () => {
  it('stays as it is where the file says nothing of its pixels, or cannot be read', async () => {
    const asked = requestOf({ kind: 'file', path });
    assert.deepEqual(await completeModels(asked, spec, inspect), { request: asked, notes: [] });
    const broken = join(dir, 'broken.onnx');
    writeFileSync(broken, 'no model');
    const other = requestOf({ kind: 'file', path: broken });
    assert.deepEqual((await completeModels(other, spec, inspect)).request, other);
  });

  it('gets what the settings beside the file say, unless the user said something else', async () => {
    writeFileSync(join(dir, 'preprocessor_config.json'), '{"image_mean": [0.5], "image_std": [0.25]}');
    const { request, notes } = await completeModels(requestOf({ kind: 'file', path }), spec, inspector(dir));
    assert.deepEqual(request.models['teacher'], { kind: 'file', path, normalisation: { mean: [0.5], std: [0.25] } });
    assert.deepEqual(notes, ['Teacher: pixels less 0.5, over 0.25 (preprocessor_config.json)']);
    const said = requestOf({ kind: 'file', path, normalisation: { mean: [0], std: [1] } });
    assert.deepEqual((await completeModels(said, spec, inspector(dir))).request, said);
  });

  it('gets the names of the classes that the file, or one beside it, has, which its command leaves out', async () => {
    const { classifier } = await inspector(dir)(path);
    const names = Array.from({ length: classifier?.classCount ?? 0 }, (_, i) => `tree ${i}`);
    writeFileSync(join(dir, 'labels.txt'), names.join('\n'));
    const { request, notes } = await completeModels(requestOf({ kind: 'file', path }), spec, inspector(dir));
    const { teacher } = request.models;
    assert.ok(teacher?.kind === 'file');
    assert.deepEqual([teacher.classNames, teacher.classNamesFrom], [names, 'labels.txt']);
    assert.ok(notes.includes(`Teacher: ${names.length} names of classes (labels.txt)`));
    assert.doesNotMatch(commandLine(spec, request), /teacher-classes/);
    const said = requestOf({ kind: 'file', path, classNames: names.toReversed() });
    const kept = (await completeModels(said, spec, inspector(dir))).request.models['teacher'];
    assert.deepEqual(kept?.kind === 'file' && kept.classNames, names.toReversed());
  });
});
