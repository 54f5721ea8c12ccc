import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { renderReport } from '../../report/html.ts';
import { sampleFacts } from '../../report/fixture/sample.ts';
import { tinyNet, tinyShape, trainedOnShapes, storeModel } from '../../train/testing/tiny-teacher.ts';
import type { ReportInput } from '../define.ts';
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

const dir = temporaryFolder({ after });
const path = storeModel(dir, 'teacher.onnx', await trainedOnShapes(tinyNet()));
const sets = {
  test: await storeSet(dir, 'test', tinyShapesSet(2, 60, tinyShape)),
  real: await storeSet(dir, 'real', tinyShapesSet(3, 60, tinyShape)),
};
const params = { count: 24, steps: 6, epochs: 2, batchSize: 16, synthesisBatchSize: 12, lanes: 1 };

const ran = (more: object = {}, data: typeof sets | object = sets, options: DriveOptions = {}): Promise<Driven> =>
  drive(
    run,
    {
      ...plainContext(),
      params: spec.params.parse({ ...params, ...more }),
      models: { teacher: { kind: 'file', path }, student: { kind: 'zoo', architecture: 'mlp' } },
      data: { ...data },
    },
    options,
  );

/** The run as the store would hand it to a report: everything has been through JSON. */
function inputOf(driven: Driven): ReportInput {
  return {
    params: spec.params.parse(params),
    metrics: driven.metrics ?? {},
    series: Object.fromEntries(
      Object.entries(driven.series).map(([name, points]) => [
        name,
        Object.entries(points).map(([step, value]) => ({ name, step: Number(step), value })),
      ]),
    ),
    json(name) {
      const content = driven.artifacts.get(name);
      return content && 'json' in content ? JSON.parse(JSON.stringify(content.json)) : undefined;
    },
    image: (name) =>
      driven.artifacts.has(name)
        ? `data:image/png;base64,${artifactBytes(driven, name).toString('base64')}`
        : undefined,
    artifactNames: [...driven.artifacts.keys()],
  };
}

const titles = (driven: Driven): string[] => report(inputOf(driven)).sections.map(({ title }) => title);

describe('the report of data impressions', () => {
  it('shows impressions, students and training of a whole run on one page', async () => {
    const driven = await ran({ selection: 'agreement' });
    const document = report(inputOf(driven));
    assert.deepEqual(titles(driven), ['Impressions', 'Students', 'Training', 'What this does and does not show']);
    assert.match(document.conclusion, /^24 surrogate images .* recognises [\d.]+ % of 60 real test images \(teacher /);
    assert.equal(document.keyFigures[0]?.label, 'Student, from impressions');
    assert.ok(document.keyFigures.some(({ label }) => label === 'Held-out agreement'));
    const kinds = document.sections.flatMap(({ blocks }) => blocks.map(({ kind }) => kind));
    assert.deepEqual(kinds, ['image', 'heat-map', 'line', 'table', 'bar', 'table', 'bar', 'heat-map', 'line', 'text']);
    const page = renderReport(document, sampleFacts);
    for (const word of ['Class similarity', 'Confusion: Student', 'Recall by class', 'data:image/png']) {
      assert.ok(page.includes(word), word);
    }
    assert.doesNotMatch(page, /NaN|undefined|Infinity/);
  });

  it('does without a test set, controls or class similarity', async () => {
    const driven = await ran({ targets: 'one-hot', controlNoise: false }, {});
    const document = report(inputOf(driven));
    assert.match(document.conclusion, /not scored on real images/);
    assert.deepEqual(titles(driven), ['Impressions', 'Training', 'What this does and does not show']);
    assert.doesNotMatch(renderReport(document, sampleFacts), /NaN|undefined|Infinity/);
  });

  it('says what there is of a run that ended early, also nothing at all', async () => {
    const early = await ran({}, sets, { stopAt: (offer) => offer === 0 });
    assert.match(report(inputOf(early)).conclusion, /ended before its surrogate images were finished/);
    assert.ok(titles(early).includes('Impressions'));
    const late = await ran({}, sets, { stopAt: (_, phase) => phase === 'distillation' });
    assert.match(report(inputOf(late)).conclusion, /or the run ended before/);
    const nothing = { ...early, artifacts: new Map(), series: {} };
    assert.deepEqual(titles(nothing), ['What this does and does not show']);
    for (const driven of [early, late, nothing]) renderReport(report(inputOf(driven)), sampleFacts);
  });

  it('passes over artifacts that are not what it knows', () => {
    const odd = {
      ...inputOf({
        artifacts: new Map(),
        series: {},
        tables: [],
        metrics: {},
        logs: [],
        fractions: [],
        checkpointCount: 0,
        checkpoint: undefined,
      }),
      json: () => ({ arms: 'many' }),
    };
    assert.deepEqual(
      report(odd).sections.map(({ title }) => title),
      ['What this does and does not show'],
    );
  });
});
