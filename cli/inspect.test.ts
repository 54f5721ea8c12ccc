import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SanityReading } from '../core/contract/sanity.ts';
import { memorySet } from '../core/data/dataset.ts';
import type { Inspection } from '../core/inspect/inspection.ts';
import { tinyModel, tinyNetwork } from '../core/inspect/testing/tiny-models.ts';
import { describeMachine } from '../core/jobs/environment.ts';
import { storeSet } from '../core/methods/testing/drive.ts';
import { writeModel } from '../core/onnx/write.ts';
import { callProgram } from './testing/call-program.ts';

describe('inspect', () => {
  it('prints what a model is and what it costs', async (t) => {
    const cli = callProgram(t);
    const { code, out, err } = await cli.run('inspect', 'bundled:lenet5-mnist');
    assert.equal(code, 0, err);
    assert.match(out, /Image +1 × 28 × 28, channels first, any batch/);
    assert.match(out, /Last linear layer +Gemm of fc3\.weight, 84 features/);
    assert.match(out, /Parameters +61,706 in 10 tensors/);
    assert.match(out, /Forward +841 kFLOP, 0\.417 M multiply-adds/);
    assert.match(out, /Second order +yes/);
    assert.match(out, /Time on this machine +unknown until `palimpsest doctor`/);
  });

  it('tries the usual pre-processings on labelled images when it is given some', async (t) => {
    const cli = callProgram(t);
    const shape = [1, 28, 28] as const;
    const images = Float32Array.from({ length: 10 * 784 }, (_, i) => (i % 5) / 5);
    const labels = Int32Array.from({ length: 10 }, (_, i) => i);
    await storeSet(cli.folder, 'few', memorySet({ title: 'few', images, shape: [...shape], labels }));
    const { code, result } = await cli.json('inspect', 'bundled:lenet5-mnist', '--data', 'few.npz');
    assert.equal(code, 0);
    const { count, readings } = SanityReading.parse(result['sanity']);
    assert.equal(count, 10);
    assert.ok(readings.some(({ title }) => title === 'Pixels from 0 to 255'));
    const wrong = await cli.json('inspect', 'bundled:lenet5-mnist', '--data', 'nothing');
    assert.equal(wrong.code, 4);
  });

  it('prints one object with the hash of the file under --json', async (t) => {
    const cli = callProgram(t);
    const bytes = writeModel(tinyNetwork());
    writeFileSync(join(cli.folder, 'a.onnx'), bytes);
    writeFileSync(
      join(cli.folder, 'preprocessor_config.json'),
      '{"image_mean": [0.5], "image_std": [0.25], "size": 6}',
    );
    const { code, result } = await cli.json('inspect', 'a.onnx');
    assert.equal(code, 0);
    const { schema, file, preprocessing, questions, cost } = result as unknown as Inspection;
    assert.equal(schema, 'palimpsest.inspection/1');
    assert.equal(file.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(file.sizeBytes, bytes.byteLength);
    assert.deepEqual(preprocessing.std, { value: [0.25], source: 'preprocessor_config.json' });
    assert.deepEqual(preprocessing.searched, ['preprocessor_config.json', 'the metadata of the file']);
    assert.deepEqual([questions, cost?.estimate], [[], null]);
  });

  it('estimates times from what doctor measured on this processor', async (t) => {
    const cli = callProgram(t);
    mkdirSync(join(cli.folder, 'w'));
    const speed = [
      { device: 'cpu', threads: 1, gflops: 40 },
      { device: 'cpu', threads: 2, gflops: 80 },
    ];
    const kept = (cpu: string): void =>
      writeFileSync(join(cli.folder, 'w', 'machine.json'), JSON.stringify({ cpu, speed }));
    const ask = async (): Promise<Inspection> => {
      const { result } = await cli.json('inspect', 'bundled:lenet5-mnist', '--workspace', 'w');
      return result as unknown as Inspection;
    };
    kept(describeMachine().cpu);
    const { cost } = await ask();
    assert.equal(cost?.estimate?.threads, 2);
    assert.equal(cost.estimate.forwardMs, cost.forwardFlops / 80e6);
    kept('another processor');
    assert.equal((await ask()).cost?.estimate, null);
    writeFileSync(join(cli.folder, 'w', 'machine.json'), '{');
    assert.equal((await ask()).cost?.estimate, null);
  });

  it('ends with 3 for what is no classifier, and prints what it found all the same', async (t) => {
    const cli = callProgram(t);
    const { graph, ...rest } = tinyModel([1, 2, 2], (g, x) => g.reduceMean(x, [2, 3]));
    const [input] = graph.inputs;
    assert.ok(input);
    const inputs = [{ ...input, shape: ['n', 1, 'height', 2] }];
    writeFileSync(join(cli.folder, 'open.onnx'), writeModel({ ...rest, graph: { ...graph, inputs } }));
    const { code, result, err } = await cli.json('inspect', 'open.onnx');
    assert.equal(code, 3);
    assert.match(err, /\[MODEL_UNSUITABLE\]/);
    assert.deepEqual((result['error'] as { code?: string }).code, 'MODEL_UNSUITABLE');
    assert.deepEqual(result['operators'], { ReduceMean: 1 });
    const { out } = await cli.run('inspect', 'open.onnx');
    assert.match(out, /To be told\n {2}- Which sizes .* for height\?[\s\S]*--dims NAME=SIZE/);
    writeFileSync(join(cli.folder, 'text.onnx'), 'this is no model');
    const text = await cli.json('inspect', 'text.onnx');
    assert.equal(text.code, 3);
    assert.deepEqual(Object.keys(text.result), ['error']);
  });
});
