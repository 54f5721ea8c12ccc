import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { DataRef, ModelRef } from '../../contract/run.ts';
import { memorySet } from '../../data/dataset.ts';
import { tinyShapes, tinyShapesSet } from '../../data/synthetic.ts';
import { AuditData, UniversalData } from '../../report/audit.ts';
import { renderReport } from '../../report/html.ts';
import { sampleFacts } from '../../report/fixture/sample.ts';
import { reportSarif } from '../../report/sarif.ts';
import { sarifErrors } from '../../report/testing/sarif-schema.ts';
import { SeverityData } from '../../report/severity.ts';
import { storeModel, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf, ReportInput } from '../define.ts';
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
const victim: ModelRef = {
  kind: 'file',
  path: storeModel(dir, 'victim.onnx', await trainedOnShapes(tinyNet({ hasNorm: true }), 100)),
};
const images = await storeSet(dir, 'images', tinyShapesSet(2, 120, tinyShape));

const brief: Partial<Params> = {
  count: 48,
  pick: 'first',
  epsilons: [0.05, 0.15],
  attacks: ['fgsm', 'pgd', 'deepfool'],
  attackOptions: { pgd: { steps: 6, stepSize: 0.03 }, deepfool: { steps: 8 } },
  lanes: 1,
  seed: 3,
};

interface Given {
  readonly params?: Partial<Params>;
  readonly models?: Record<string, ModelRef>;
  readonly data?: Record<string, DataRef>;
  readonly context?: Partial<RunContext<Params>>;
}

const contextOf = ({ params, models, data, context }: Given): Omit<RunContext<Params>, 'signal'> => ({
  ...plainContext(),
  params: spec.params.parse({ ...brief, ...params }),
  models: { victim, ...models },
  data: data ?? { images },
  ...context,
});
const ran = (given: Given = {}, options: DriveOptions = {}): Promise<Driven> => drive(run, contextOf(given), options);
const json = (driven: Driven, name: string): unknown => JSON.parse(artifactBytes(driven, name).toString());
const auditOf = (driven: Driven): AuditData => AuditData.parse(json(driven, 'audit'));
const warnings = (driven: Driven): string => driven.logs.filter((line) => line.startsWith('warning')).join('\n');
const isFailure =
  (code: string, message: RegExp) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof Error && 'code' in thrown);
    assert.equal(thrown.code, code, thrown.message);
    assert.match(thrown.message, message);
    return true;
  };

const reportInput = (driven: Driven, params: Record<string, unknown> = {}): ReportInput => ({
  params,
  metrics: driven.metrics ?? {},
  series: {},
  artifactNames: [...driven.artifacts.keys()],
  json: (name) => (driven.artifacts.has(name) ? json(driven, name) : undefined),
  image: (name) =>
    driven.artifacts.has(name) ? `data:image/png;base64,${artifactBytes(driven, name).toString('base64')}` : undefined,
});

const whole = await ran({
  params: {
    universal: ['sgd', 'gd-uap', 'noise'],
    universalSteps: 50,
    universalImages: 40,
    severityBounds: true,
    corruptions: true,
  },
});

describe('a robustness audit', () => {
  it('has a worst case that no attack beats and that falls with epsilon', () => {
    const [model] = auditOf(whole).models;
    assert.ok(model && model.count === 48);
    assert.equal(model.worst.length, 2);
    for (const worst of model.worst) {
      const rows: AuditData['models'][number]['rows'] = model.rows.filter(
        ({ epsilon, isControl }) => epsilon === worst.epsilon && !isControl,
      );
      assert.equal(rows.length, 3);
      for (const row of rows) assert.ok(worst.robustAccuracy <= row.robustAccuracy);
    }
    assert.ok((model.worst[1]?.robustAccuracy ?? 1) < (model.worst[0]?.robustAccuracy ?? 0));
    assert.equal(whole.metrics?.['robustAccuracy'], model.worst[0]?.robustAccuracy);
    assert.ok(whole.fractions.every((fraction, i) => fraction <= 1 && fraction >= (whole.fractions[i - 1] ?? 0)));
  });

  it('writes a line for each image, attack and epsilon, and never leaves the ball', () => {
    const [head = '', ...lines] = artifactBytes(whole, 'records').toString().trim().split('\r\n');
    assert.equal(lines.length, 48 * 3 * 2);
    const column = (name: string): number => head.split(',').indexOf(name);
    for (const line of lines) {
      const cells = line.split(',');
      if (cells[column('verdict')] !== 'fooled') continue;
      assert.ok(Number(cells[column('linf')]) <= Number(cells[column('epsilon')]) + 1e-6, line);
      assert.notEqual(cells[column('reached')], cells[column('label')]);
    }
  });

  it('measures accuracy under corruptions, which a little noise hardly changes', () => {
    const { corruptions, models } = auditOf(whole);
    assert.deepEqual(corruptions?.strengths, [1, 3, 5]);
    const noise = corruptions?.rows.find(({ kind }) => kind === 'gaussian-noise');
    assert.ok(Math.abs((noise?.accuracies[0] ?? 0) - (models[0]?.cleanAccuracy ?? 1)) < 0.1);
    assert.equal(corruptions?.rows.length, 15);
  });

  it('keeps adversarial images as numbers and, rounded and tested again, as PNG', () => {
    assert.ok(artifactBytes(whole, 'adversarial.npz').includes('images.npy'));
    const { eightBit } = auditOf(whole);
    assert.ok(eightBit && eightBit.stillFooled <= eightBit.count);
    const zip = artifactBytes(whole, 'adversarial-png.zip').toString('latin1');
    assert.equal([...zip.matchAll(/\x89PNG/g)].length, eightBit.stillFooled);
  });

  it('measures severity of each attack, of the worst case and of universal perturbations', () => {
    const severity = SeverityData.parse(json(whole, 'severity'));
    assert.deepEqual([...new Set(severity.rows.map(({ attack }) => attack))].sort(), [
      'PGD to the farthest class',
      'PGD to the nearest class',
      'deepfool',
      'fgsm',
      'gd-uap',
      'noise',
      'pgd',
      'sgd',
      'worst',
    ]);
    assert.match(severity.noSemantics ?? '', /no semantics|no bundled taxonomy/);
    assert.ok(
      severity.measures.some(({ name }) => name === 'v1') && severity.measures.some(({ name }) => name === 'v4'),
    );
    const reach = (name: RegExp): number =>
      severity.rows.find(({ title, epsilon }) => name.test(title) && epsilon === 0.15)?.corrected['v3']?.value ??
      Number.NaN;
    assert.ok(reach(/nearest/) < reach(/farthest/), `${reach(/nearest/)} to ${reach(/farthest/)}`);
    const universal = UniversalData.parse(json(whole, 'universal'));
    assert.deepEqual(
      universal.rows.map(({ kind, isDataFree }) => [kind, isDataFree]),
      [
        ['sgd', false],
        ['gd-uap', true],
        ['noise', false],
      ],
    );
  });

  it('reports findings with n, interval, budget and seed, that SARIF takes too', () => {
    const document = report(reportInput(whole));
    const ids = (document.findings ?? []).map(({ id }) => id);
    for (const id of ['evasion-white-box', 'universal-perturbation', 'severity']) assert.ok(ids.includes(id), id);
    for (const { evidence, references } of document.findings ?? []) {
      assert.ok(evidence.count > 0 && evidence.budget !== '' && evidence.seed === 3);
      assert.ok(references.length > 0);
    }
    const sarif = reportSarif(document, sampleFacts);
    assert.equal(sarif.runs[0]?.results.length, ids.length);
    assert.deepEqual(sarifErrors(sarif), []);
    const page = renderReport(document, sampleFacts);
    assert.match(page, /Accuracy over epsilon/);
    assert.match(page, /class="band s1"/);
    assert.match(page, /class="row-notes"/);
    assert.doesNotMatch(page, /NaN|undefined/);
  });

  it('does not depend on how many lanes there are', async () => {
    const two = await ran({ params: { lanes: 2 } });
    const one = await ran();
    assert.deepEqual(artifactBytes(two, 'records'), artifactBytes(one, 'records'));
    assert.deepEqual(artifactBytes(two, 'adversarial.npz'), artifactBytes(one, 'adversarial.npz'));
  });

  it('has the same worst case when attacks see survivors only', async () => {
    const spared = await ran({ params: { survivorsOnly: true } });
    const plain = auditOf(whole).models[0];
    const model = auditOf(spared).models[0];
    assert.deepEqual(
      model?.worst.map(({ robustAccuracy }) => robustAccuracy),
      plain?.worst.map(({ robustAccuracy }) => robustAccuracy),
    );
    const last = model?.rows.find(({ attack, epsilon }) => attack === 'pgd' && epsilon === 0.15);
    assert.ok((last?.attacked ?? 48) < 48);
  });

  it('compares a second model on the same images, and reaches wanted classes', async () => {
    const path = storeModel(dir, 'other.onnx', await trainedOnShapes(tinyNet({ seed: 5 }), 60));
    const two = await ran({
      params: { attacks: ['pgd'], attackOptions: { pgd: { steps: 6 } }, goal: 'next' },
      models: { compared: { kind: 'file', path } },
    });
    const { models } = auditOf(two);
    assert.deepEqual(
      models.map(({ title }) => title),
      ['victim.onnx', 'other.onnx'],
    );
    const lines = artifactBytes(two, 'records').toString().trim().split('\r\n').slice(1);
    for (const line of lines) {
      const [, , , , label, target, , verdict, reached] = line.split(',');
      assert.equal(Number(target), (Number(label) + 1) % 4);
      if (verdict === 'fooled') assert.equal(reached, target);
    }
  });
});

describe('an audit that is stopped', () => {
  const params = { universal: ['gd-uap', 'noise'] as const, universalSteps: 40, severityBounds: true };
  const given: Given = { params: { ...params, universal: [...params.universal] } };

  it('goes on from any checkpoint to the same bits', async () => {
    const straight = await ran(given);
    for (const at of [1, Math.floor(straight.checkpointCount / 2), straight.checkpointCount - 1]) {
      const stopped = await ran(given, { stopAt: (offer) => offer === at });
      assert.ok(stopped.checkpoint);
      const resumed = await ran({ ...given, context: { resume: stopped.checkpoint } });
      assert.deepEqual(resumed.metrics, straight.metrics);
      for (const name of ['records', 'adversarial.npz', 'gallery', 'universal', 'severity', 'audit'])
        assert.deepEqual(artifactBytes(resumed, name), artifactBytes(straight, name), `${name} from ${at}`);
    }
  });

  it('ends at the next step when it is told to', async () => {
    await assert.rejects(ran(given, { cancelAt: (offer) => offer === 2 }), { name: 'AbortError' });
  });
});

describe('bad input to an audit', () => {
  const shapes = (labels?: (label: number) => number, pixels?: (value: number) => number) => {
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

  it('leaves out attacks whose loss needs more classes, and refuses when none is left', async () => {
    const path = storeModel(dir, 'three.onnx', await trainedOnShapes(tinyNet({ classes: 4 }), 20));
    const three = { victim: { kind: 'file', path } } as const satisfies Record<string, ModelRef>;
    await assert.rejects(
      ran({ models: three, params: { attacks: ['square'], attackOptions: {}, norm: 'l1' } }),
      isFailure('PARAM_INVALID', /No attack is left\. Square.* is left out: it is not for l1/),
    );
  });

  const refused: readonly (readonly [string, Partial<Params>, RegExp])[] = [
    ['an epsilon above the box', { epsilons: [0.1, 1.5] }, /Epsilon 1\.5: expected at most 1, which in linf/],
    ['bounds without room', { low: 1, high: 1 }, /expected low below high/],
    ['options of attacks that do not run', { attackOptions: { fab: {} } }, /attacks that do not run: fab/],
    ['options that an attack does not have', { attackOptions: { pgd: { stepz: 3 } } }, /Options of PGD.*stepz/],
    ['a taxonomy with other classes', { taxonomy: 'cifar-10' }, /Taxonomy CIFAR-10 does not fit a model with 4/],
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
    writeFileSync(path, '0,1,1,9\n1,0,1,9\n1,1,0,9\n9,9,9,0\n');
    const { rows } = SeverityData.parse(json(await ran({ params: { costs: path } }), 'severity'));
    assert.ok(rows.every(({ cost }) => cost !== null));
  });

  it('is refused with an epsilon of zero by the declaration', () => {
    assert.ok(!spec.params.safeParse({ ...brief, epsilons: [0] }).success);
  });

  it('is refused with pixels outside the bounds', async () => {
    await assert.rejects(
      ran({ params: { low: 0, high: 0.5, epsilons: [0.1] } }),
      isFailure('DATA_UNSUITABLE', /image \d+ has a pixel of .*, expected 0 to 0\.5/),
    );
  });
});
