import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { WorkbenchError } from '../../base/errors.ts';
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

  it('refuses what the run would refuse, before it is started, and says what to do', async () => {
    const images = await storeSet(dir, 'refused', tinyShapesSet(2, 80, tinyShape));
    const costs = join(dir, 'costs.csv');
    writeFileSync(costs, '0,1\n1,0\n');
    const refused: readonly (readonly [object, RegExp, RegExp])[] = [
      [{ epsilons: [1.5] }, /Epsilon 1\.5: expected at most 1/, /units of the pixels/],
      [{ low: 1, high: 1 }, /expected low below high, got 1 and 1/, /leave both away/],
      [{ high: 0.5 }, /image \d+ has a pixel of .*, expected 0 to 0\.5/, /set the bounds/],
      [{ taxonomy: 'cifar-10' }, /does not fit a model with 4 classes: it lacks/, /Add the missing classes/],
      [{ taxonomy: 'nowhere.csv' }, /nowhere\.csv cannot be read/, /Check the path/],
      [{ costs }, /expected 4 × 4 costs .*got 2 × 2/, /One line for each class/],
      [{ attacks: ['square'], norm: 'l1' }, /No attack is left/, /another norm/],
      [{ attackOptions: { fab: {} } }, /attacks that do not run: fab/, /fgsm, pgd/],
    ];
    for (const [params, message, hint] of refused) {
      await assert.rejects(ahead(images, params), (thrown) => {
        assert.ok(thrown instanceof WorkbenchError);
        assert.match(thrown.message, message);
        assert.match(thrown.hint ?? '', hint);
        return true;
      });
    }
  });
});
