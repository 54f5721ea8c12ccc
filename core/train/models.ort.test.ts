import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { WorkbenchError, type ErrorCode } from '../base/errors.ts';
import { float32 } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { memorySet } from '../data/dataset.ts';
import { tinyShapesSet } from '../data/synthetic.ts';
import { storeSet, temporaryFolder } from '../methods/testing/drive.ts';
import { houseModel } from '../onnx/write.ts';
import { classNamesOf, openFitting } from './inputs.ts';
import { predictLogits } from './evaluate-arms.ts';
import { arraySource } from './evaluate.ts';
import { bundledModel, openModel, openModelFile, type OpenedModel } from './models.ts';
import { withParameters } from './parameters.ts';
import { opened, storeModel, tinyClasses, tinyNet, tinyShape } from './testing/tiny-teacher.ts';

const dir = temporaryFolder({ after });
const path = storeModel(dir, 'tiny.onnx', tinyNet());
const fit = { shape: tinyShape, classes: tinyClasses, seed: 3 };

const refused = (code: ErrorCode, pattern: RegExp) => (error: unknown) =>
  error instanceof WorkbenchError && error.code === code && pattern.test(error.message) && error.hint !== undefined;

/** A network from images of fixed batch or not, as a file. */
function fileOf(
  name: string,
  build: (g: GraphBuilder, x: Value) => Value,
  batch: number | 'N' = 'N',
  shape: readonly number[] = tinyShape,
): string {
  const g = new GraphBuilder();
  const rows = batch === 'N' ? 1 : batch;
  const x = g.input('x', 'float32', [rows, ...shape], [batch, ...shape]);
  g.output('y', build(g, x));
  return storeModel(dir, name, houseModel(g.build(name, (_, dims) => [batch, ...dims.slice(1)])));
}

const dense = (g: GraphBuilder, x: Value, classes: number): Value =>
  g.gemm(
    g.flatten(x),
    g.constant(
      float32(
        [x.shape.slice(1).reduce((a, b) => a * b, 1), classes],
        Array.from({ length: 100 * classes }, (_, i) => Math.sin(i)),
      ),
      'w',
    ),
  );

describe('a model that is opened for a method', () => {
  it('says its shape, classes and the names of its ends', async () => {
    const model = await openModelFile(path);
    assert.equal(model.title, 'tiny.onnx');
    assert.deepEqual([model.shape, model.classes], [tinyShape, tinyClasses]);
    assert.deepEqual([model.graph.inputs[0]?.name, model.graph.outputs[0]?.name], [model.inputName, model.logitsName]);
  });

  it('normalises pixels inside its graph, as it is told or as the metadata of the file say', async () => {
    const asked = { mean: [0.25], std: [0.5] };
    const noted = storeModel(dir, 'noted.onnx', {
      ...tinyNet(),
      metadata: { 'palimpsest.normalisation': JSON.stringify(asked) },
    });
    const pixels = Float32Array.from({ length: 2 * 100 }, (_, i) => (i % 11) / 11);
    const logits = (model: OpenedModel, images: Float32Array) =>
      predictLogits(model, arraySource(images, tinyShape), { device: 'cpu', threads: 1 }, AbortSignal.timeout(10_000));
    const plain = await logits(
      await openModelFile(path),
      pixels.map((x) => (x - 0.25) / 0.5),
    );
    assert.deepEqual(await logits(await openModelFile(path, asked), pixels), plain);
    assert.deepEqual(await logits(await openModelFile(noted), pixels), plain);
    assert.notDeepEqual(await logits(await openModelFile(path), pixels), plain);
  });

  it('refuses a normalisation for another number of channels, and metadata that are none', async () => {
    const three = { mean: [0.1, 0.2, 0.3], std: [1, 1, 1] };
    await assert.rejects(
      openModelFile(path, three),
      refused('MODEL_UNSUITABLE', /expected 1 or 1 numbers for mean, got 3/),
    );
    const spoilt = storeModel(dir, 'spoilt.onnx', {
      ...tinyNet(),
      metadata: { 'palimpsest.normalisation': '{"mean": 1}' },
    });
    await assert.rejects(openModelFile(spoilt), refused('MODEL_UNREADABLE', /spoilt\.onnx: Its metadata entry/));
  });

  it('may be an architecture, which takes its sizes from the other model and its start from the seed', async () => {
    const open = (seed: number) => openModel({ kind: 'zoo', architecture: 'mlp' }, 'student', { ...fit, seed });
    const [a, same, other] = [await open(3), await open(3), await open(4)];
    assert.deepEqual([a.shape, a.classes, a.title], [tinyShape, tinyClasses, 'mlp']);
    const weights = ({ model }: typeof a) => model.graph.initializers.get('fc1.weight')?.data;
    assert.deepEqual(weights(a), weights(same));
    assert.notDeepEqual(weights(a), weights(other));
  });

  it('must fit: other classes and another image size are said together', async () => {
    await openModel({ kind: 'file', path }, 'student', fit);
    await assert.rejects(
      openModel({ kind: 'file', path }, 'student', { ...fit, shape: [3, 10, 12], classes: 7 }),
      refused(
        'MODEL_UNSUITABLE',
        /student tiny\.onnx does not fit: it takes images of 1 × 10 × 10, expected 3 × 10 × 12; it has 4 classes, expected 7/,
      ),
    );
  });

  it('may not be of an unknown architecture, or one that cannot take the images', async () => {
    await assert.rejects(
      openModel({ kind: 'zoo', architecture: 'lenet6' }, 'student', fit),
      refused('PARAM_INVALID', /Unknown architecture "lenet6"/),
    );
    await assert.rejects(
      openModel({ kind: 'zoo', architecture: 'lenet5' }, 'student', { ...fit, shape: [1, 3, 3] }),
      refused('PARAM_INVALID', /cannot take images of 1 × 3 × 3/),
    );
  });

  it('is refused when it is no file, no ONNX, cut short or empty, naming the path', async () => {
    mkdirSync(join(dir, 'folder.onnx'));
    writeFileSync(join(dir, 'empty.onnx'), '');
    writeFileSync(join(dir, 'text.onnx'), 'This is a letter, not a model.\n'.repeat(40));
    writeFileSync(join(dir, 'cut.onnx'), readFileSync(path).subarray(0, 2000));
    for (const name of ['absent.onnx', 'folder.onnx', 'empty.onnx', 'text.onnx', 'cut.onnx']) {
      await assert.rejects(
        openModelFile(join(dir, name)),
        refused('MODEL_UNREADABLE', new RegExp(name.replace('.', '\\.'))),
        name,
      );
    }
  });

  it('is refused when it takes no images or gives no logits', async () => {
    const flat = fileOf('flat.onnx', (g, x) => g.relu(x), 'N', [97]);
    await assert.rejects(openModelFile(flat), refused('MODEL_UNSUITABLE', /image input/));
    const filter = fileOf('filter.onnx', (g, x) => g.relu(x));
    await assert.rejects(openModelFile(filter), refused('MODEL_UNSUITABLE', /expected logits/));
  });

  it('is refused with NaN or infinity in its weights', async () => {
    for (const bad of [NaN, Infinity]) {
      const model = tinyNet();
      const bias = float32([tinyClasses], [0, bad, 0, 0]);
      const broken = storeModel(dir, 'broken.onnx', withParameters(model, { 'fc2.bias': bias }));
      await assert.rejects(openModelFile(broken), refused('MODEL_NOT_FINITE', /fc2\.bias/));
    }
  });

  it('is cut before a softmax at its end, and says so', async () => {
    const soft = await openModelFile(fileOf('soft.onnx', (g, x) => g.softmax(dense(g, x, 4), 1)));
    assert.equal(soft.description.softmaxRemoved, true);
    assert.ok(soft.graph.nodes.every(({ op }) => op !== 'Softmax'));
    assert.ok(soft.model.graph.nodes.some(({ op }) => op === 'Softmax'));
  });

  it('is refused when it works with one batch size only', async () => {
    const mixing = fileOf(
      'mixing.onnx',
      (g, x) => g.add(dense(g, x, 4), g.floats([2, 4], [1, 2, 3, 4, 5, 6, 7, 8])),
      2,
    );
    await assert.rejects(openModelFile(mixing), refused('MODEL_UNSUITABLE', /batches of 2 only/));
    const free = await openModelFile(fileOf('free.onnx', (g, x) => dense(g, x, 4), 2));
    assert.equal(free.description.input.fixedBatch, undefined);
  });

  it('that comes with the workbench is found by name', () => {
    assert.match(bundledModel('lenet5-mnist'), /assets[\\/]models[\\/]lenet5-mnist\.onnx$/);
  });
});

describe('data for a model', () => {
  it('are opened when they fit', async () => {
    const ref = await storeSet(dir, 'good', tinyShapesSet(1, 12, tinyShape));
    const set = await openFitting(ref, 'test', await openModelFile(path), 'required');
    assert.equal(set.count, 12);
    await set.close();
  });

  it('of another size, without labels or with too many classes are refused with every reason', async () => {
    const model = await opened(tinyNet({ classes: 3 }));
    const wide = await storeSet(dir, 'wide', tinyShapesSet(1, 12, [3, 10, 12], 4));
    await assert.rejects(
      openFitting(wide, 'test', model, 'required'),
      refused('DATA_UNSUITABLE', /The test data do not fit tiny\.onnx: .*3 channels.*10 × 12.*label 3/),
    );
    const bare = await storeSet(
      dir,
      'bare',
      memorySet({ title: 'bare', images: new Float32Array(300), shape: tinyShape }),
    );
    await assert.rejects(openFitting(bare, 'test', model, 'required'), refused('DATA_UNSUITABLE', /no labels/));
    await (await openFitting(bare, 'real', model, 'unused')).close();
  });

  it('give the classes their names, where they have one for each', () => {
    const named = { ...tinyShapesSet(1, 4, tinyShape), labelNames: ['a', 'b', 'c', 'd'] };
    assert.deepEqual(classNamesOf({ classes: 4 }, undefined, named), ['a', 'b', 'c', 'd']);
    assert.deepEqual(classNamesOf({ classes: 3 }, named), ['0', '1', '2']);
    assert.deepEqual(classNamesOf({ classes: 2 }), ['0', '1']);
  });
});
