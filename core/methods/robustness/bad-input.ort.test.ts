import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { memorySet } from '../../data/dataset.ts';
import { tinyShapes, tinyShapesSet } from '../../data/synthetic.ts';
import { SeverityData } from '../../report/severity.ts';
import { storeModel, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import { storeSet, temporaryFolder } from '../testing/drive.ts';
import { checkExtent } from './setup.ts';
import { spec } from './spec.ts';
import { auditOf, brief, isFailure, json, openAudits, warnings, type Params } from './testing/audits.ts';

const dir = temporaryFolder({ after });
const ran = await openAudits(dir);

describe('bad input to an audit', () => {
  const shapes = (labels?: (label: number, i: number) => number, pixels?: (value: number) => number) => {
    const tiny = tinyShapes(2, 40, tinyShape);
    return memorySet({
      ...tiny,
      title: 'changed',
      shape: tinyShape,
      images: pixels ? tiny.images.map(pixels) : tiny.images,
      labels: labels ? tiny.labels.map(labels) : tiny.labels,
    });
  };

  it('says what the answers are under other readings when all labels are wrong', async () => {
    const shifted = await storeSet(
      dir,
      'shifted',
      shapes((label) => (label + 1) % 4),
    );
    await assert.rejects(
      ran({ data: { images: shifted } }),
      isFailure('DATA_UNSUITABLE', /answers \d of 40 images rightly.*with the classes renamed (9\d|100)\.\d %/),
    );
  });

  it('warns of images of a single class', async () => {
    const tiny = tinyShapes(2, 160, tinyShape);
    const own = tiny.labels.reduce<number[]>((rows, label, i) => (label === 2 ? [...rows, i] : rows), []);
    const only = new Float32Array(own.length * 100);
    own.forEach((row, i) => only.set(tiny.images.subarray(row * 100, (row + 1) * 100), i * 100));
    const labels = new Int32Array(own.length).fill(2);
    const set = await storeSet(dir, 'single', memorySet({ title: 'single', images: only, shape: tinyShape, labels }));
    const result = await ran({ data: { images: set } });
    assert.match(warnings(result), /All 40 images have the class 2/);
    assert.ok(!SeverityData.parse(json(result, 'severity')).measures.some(({ name }) => name === 'v4'));
  });

  for (const [classes, needs] of [
    [3, { 'APGD-T': 4 }],
    [2, { 'APGD-DLR': 3, 'APGD-T': 4 }],
  ] as const) {
    it(`leaves out attacks whose loss needs more than ${classes} classes`, async () => {
      const model = await trainedOnShapes(tinyNet({ classes }), 40, classes);
      const few = { victim: { kind: 'file', path: storeModel(dir, `${classes}.onnx`, model) } } as const;
      const data = { images: await storeSet(dir, `of-${classes}`, tinyShapesSet(2, 24, tinyShape, classes)) };
      const attackOptions = { 'apgd-ce': { steps: 5 }, 'apgd-dlr': { steps: 5 }, 'apgd-t': { steps: 2 } };
      const params = {
        attackOptions,
        attacks: ['apgd-ce', 'apgd-dlr', 'apgd-t'],
        count: 24,
        epsilons: [0.15],
      } as const;
      const given = { models: few, data, params: { ...params, attacks: [...params.attacks], epsilons: [0.15] } };
      const result = await ran(given);
      for (const [title, fewest] of Object.entries(needs))
        assert.ok(
          warnings(result).includes(`${title} is left out: it needs ${fewest} classes, the model has ${classes}.`),
          warnings(result),
        );
      const { attacks, leftOut } = auditOf(result);
      assert.deepEqual([attacks.length, leftOut.length], [3 - Object.keys(needs).length, Object.keys(needs).length]);
      // With two classes every flip is the only one there is.
      const { rows } = SeverityData.parse(json(result, 'severity'));
      const worst = rows.find(({ attack }) => attack === 'worst');
      assert.ok(worst && worst.fooled > 0);
      assert.equal(worst.corrected['v3']?.value === null, classes === 2);
      const only = { ...given, params: { ...given.params, attackOptions: {}, attacks: ['apgd-t'] as const } };
      await assert.rejects(
        ran({ ...only, params: { ...only.params, attacks: ['apgd-t'] } }),
        isFailure('PARAM_INVALID', /No attack is left\. APGD-T is left out: it needs 4/, /Choose other attacks/),
      );
    });
  }

  it('refuses when no attack is left for the norm', async () => {
    await assert.rejects(
      ran({ params: { attacks: ['square'], attackOptions: {}, norm: 'l1' } }),
      isFailure('PARAM_INVALID', /No attack is left\. Square.* is left out: it is not for l1/, /another norm/),
    );
  });

  it('warns of a model that is wrong about most images, with what it answers under other readings', async () => {
    const mixed = shapes((label, i) => (i % 5 < 2 ? label : (label + 1) % 4));
    const result = await ran({
      data: { images: await storeSet(dir, 'mixed', mixed) },
      params: { attacks: ['fgsm'], attackOptions: {} },
    });
    const { cleanAccuracy } = auditOf(result).models[0] ?? { cleanAccuracy: 1 };
    assert.ok(cleanAccuracy > 0 && cleanAccuracy < 0.5, `${cleanAccuracy}`);
    assert.match(warnings(result), /victim\.onnx answers 1\d of 40 images rightly.*with the classes renamed \d/);
    assert.match(warnings(result), /pre-processing/);
  });

  const refused: readonly (readonly [string, Partial<Params>, RegExp])[] = [
    ['an epsilon above the box', { epsilons: [0.1, 1.5] }, /Epsilon 1\.5: expected at most 1, which in linf/],
    ['bounds without room', { low: 1, high: 1 }, /expected low below high/],
    ['options of attacks that do not run', { attackOptions: { fab: {} } }, /attacks that do not run: fab/],
    ['options that an attack does not have', { attackOptions: { pgd: { stepz: 3 } } }, /Options of PGD.*stepz/],
    ['a taxonomy with other classes', { taxonomy: 'cifar-10' }, /Taxonomy CIFAR-10 does not fit a model with 4/],
    [
      'an l2 epsilon above the box',
      { norm: 'l2', attacks: ['pgd'], attackOptions: {}, epsilons: [11] },
      /at most 10, which in l2/,
    ],
    [
      'a universal epsilon above the box',
      { universal: ['noise'], universalEpsilon: 2 },
      /Epsilon 2: expected at most 1/,
    ],
    ['a taxonomy that is not there', { taxonomy: 'nowhere.json' }, /Taxonomy nowhere\.json cannot be read/],
  ];
  for (const [what, params, message] of refused) {
    it(`is refused with ${what}`, async () => {
      await assert.rejects(ran({ params }), isFailure('PARAM_INVALID', message));
    });
  }

  it('is refused with a cost matrix that is not square, and counts costs with one that is', async () => {
    const path = join(dir, 'costs.csv');
    writeFileSync(path, '0,1,1,1\n1,0,1\n');
    await assert.rejects(ran({ params: { costs: path } }), isFailure('PARAM_INVALID', /square matrix, got 2 rows/));
    writeFileSync(path, '0,1,1\n1,0,1\n1,1,0\n');
    await assert.rejects(ran({ params: { costs: path } }), isFailure('PARAM_INVALID', /expected 4 × 4 .*got 3 × 3/));
    writeFileSync(path, '0,1,1,1\n1,0,1,1\n1,dear,0,1\n1,1,1,0\n');
    const text = isFailure(
      'PARAM_INVALID',
      /expected costs of at least 0, got NaN in row 3, column 2/,
      /One line for each/,
    );
    await assert.rejects(ran({ params: { costs: path } }), text);
    writeFileSync(path, '0,1,1,9\n1,0,1,9\n1,1,0,9\n9,9,9,0\n');
    const { rows } = SeverityData.parse(json(await ran({ params: { costs: path } }), 'severity'));
    assert.ok(rows.every(({ cost }) => cost !== null));
  });

  it('is refused with a taxonomy that has a class too few or an unknown one, naming it', async () => {
    const path = join(dir, 'taxonomy.json');
    const write = (classes: readonly string[], children: readonly string[]): void =>
      writeFileSync(path, JSON.stringify({ classes, tree: { name: 'root', children } }));
    write(['0', '1', '2'], ['0', '1', '2']);
    await assert.rejects(
      ran({ params: { taxonomy: path } }),
      isFailure('PARAM_INVALID', /does not fit a model with 4 classes: it lacks 3$/, /Add the missing classes/),
    );
    write(['0', '1', '2', '3'], ['0', '1', '2']);
    await assert.rejects(
      ran({ params: { taxonomy: path } }),
      isFailure('PARAM_INVALID', /class "3" is not in the tree/, /assets\/taxonomies/),
    );
    write(['circle', 'square', 'ring', 'bar'], ['circle', 'square', 'ring', 'bar']);
    const { classNames, measures } = SeverityData.parse(json(await ran({ params: { taxonomy: path } }), 'severity'));
    // Classes that the data only numbers are called what the taxonomy calls them.
    assert.deepEqual(classNames, ['circle', 'square', 'ring', 'bar']);
    assert.equal(measures[0]?.name, 'wup');
  });

  it('is refused with an epsilon of zero by the declaration', () => {
    assert.ok(!spec.params.safeParse({ ...brief, epsilons: [0] }).success);
  });

  it('is refused with more images than the figures of which fit, or files above 4 GiB, saying how many would do', () => {
    const params = spec.params.parse({ stepCounts: [5], count: 1_000_000, exported: 5000 });
    const extent = { count: 1_000_000, attacks: 7, epsilons: 2, classes: [10, 10] };
    const refusal = isFailure(
      'PARAM_INVALID',
      /expected at most 122850 with 7 attacks at 2 epsilons on 2 models, got 1000000/,
      /--count/,
    );
    assert.throws(() => checkExtent(params, extent, 784), refusal);
    checkExtent(params, { ...extent, count: 122_000 }, 784);
    const large = isFailure(
      'PARAM_INVALID',
      /kept: expected at most 3566 of 150528 numbers each, got 5000/,
      /--exported/,
    );
    assert.throws(() => checkExtent(params, { ...extent, count: 10_000 }, 3 * 224 * 224), large);
    checkExtent({ ...params, exported: 3000 }, { ...extent, count: 10_000 }, 3 * 224 * 224);
  });

  it('is refused with pixels outside the bounds', async () => {
    await assert.rejects(
      ran({ params: { low: 0, high: 0.5, epsilons: [0.1] } }),
      isFailure('DATA_UNSUITABLE', /image \d+ has a pixel of .*, expected 0 to 0\.5/),
    );
  });
});
