import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { DataRef, ModelRef } from '../../contract/run.ts';
import { memorySet } from '../../data/dataset.ts';
import { tinyShapes, tinyShapesSet } from '../../data/synthetic.ts';
import { storeModel, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import { plainContext, storeSet, temporaryFolder } from '../testing/drive.ts';
import { lookAhead } from './ahead.ts';
import { spec } from './spec.ts';

const dir = temporaryFolder({ after });
const path = storeModel(dir, 'victim.onnx', await trainedOnShapes(tinyNet(), 100));
const victim: ModelRef = { kind: 'file', path };

const ahead = (images: DataRef, params: object = {}, models: Record<string, ModelRef> = { victim }) =>
  lookAhead({
    ...plainContext(),
    params: spec.params.parse({ count: 60, epsilons: [0.1], attacks: ['fgsm', 'pgd'], ...params }),
    models,
    data: { images },
  });

describe('the look ahead of a robustness audit', () => {
  it('finds nothing to mind where model and images fit, and says the budget', async () => {
    const { facts, checks } = await ahead(await storeSet(dir, 'fitting', tinyShapesSet(2, 80, tinyShape)));
    assert.deepEqual(
      checks.filter(({ isGood }) => !isGood),
      [],
    );
    assert.match(checks[0]?.finding ?? '', /answers .* rightly/);
    assert.deepEqual(
      facts.find(([name]) => name === 'Budgets'),
      ['Budgets', 'linf 0.1'],
    );
  });

  it('warns with the readings of the pixels when nearly all answers are wrong', async () => {
    const { images, labels } = tinyShapes(3, 80, tinyShape, tinyClasses);
    const shifted = labels.map((label) => (label + 1) % tinyClasses);
    const set = memorySet({ title: 'renamed', images, shape: tinyShape, labels: shifted });
    const [check] = (await ahead(await storeSet(dir, 'renamed', set))).checks;
    assert.equal(check?.isGood, false);
    assert.match(check?.measured ?? '', /right, as they are .*with the classes renamed/);
    assert.match(check?.advice ?? '', /classes renamed .*correct the labels/);
  });

  it('names attacks that are left out, and images of one class alone', async () => {
    const { images, labels } = tinyShapes(4, 80, tinyShape, tinyClasses);
    const size = images.length / labels.length;
    const kept = [...labels.keys()].filter((i) => labels[i] === 1);
    const own = new Float32Array(kept.length * size);
    kept.forEach((i, k) => own.set(images.subarray(i * size, (i + 1) * size), k * size));
    const set = memorySet({ title: 'one', images: own, shape: tinyShape, labels: new Int32Array(kept.length).fill(1) });
    const { checks } = await ahead(await storeSet(dir, 'one', set), { attacks: ['fgsm', 'mi-fgsm', 'transfer'] });
    const text = checks.map(({ finding }) => finding).join(' ');
    assert.match(text, /left out: it needs a source model/);
    assert.match(text, /All \d+ images have the class/);
  });
});
