import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { catalogue, findMethod } from '../../core/methods/catalogue.ts';
import { paramFields } from '../../core/methods/parameters.ts';
import { anyRequest } from '../../core/methods/testing/any-request.ts';
import { changedParams, draftOf, newDraft, readDraft, readParam, withRecipe } from './form-model.ts';

const impressions = findMethod('data-impressions');
const zoo = ['lenet5', 'lenet5-half'];

describe('a form drawn from a declaration', () => {
  for (const spec of catalogue) {
    for (const recipe of [undefined, ...Object.keys(spec.recipes)]) {
      it(`reads back as it was drawn: ${spec.id}, ${recipe ?? 'defaults'}`, () => {
        const draft = newDraft(spec, recipe);
        const { request, problems } = readDraft(spec, draft, zoo);
        const missing = Object.keys(problems);
        // Only what the user alone can say may be missing.
        assert.deepEqual(
          missing,
          missing.filter((field) => field.startsWith('data.') || field.startsWith('models.')),
        );
        const expected = { ...spec.params.parse({}), ...(recipe === undefined ? {} : spec.recipes[recipe]?.params) };
        assert.deepEqual(spec.params.parse(request.params), spec.params.parse(expected));
        assert.deepEqual(changedParams(spec, draft), new Set());
      });
    }
  }

  it('takes an architecture for one and anything else for a file', () => {
    const draft = newDraft(impressions);
    assert.deepEqual(readDraft(impressions, draft, zoo).request.models, {
      teacher: { kind: 'file', path: 'bundled:lenet5-mnist' },
      student: { kind: 'zoo', architecture: 'lenet5-half' },
    });
  });

  it('comes back from the request of a run', () => {
    const draft = {
      ...withRecipe(impressions, newDraft(impressions), 'paper'),
      device: 'cpu' as const,
      threads: '2',
      data: {
        ...newDraft(impressions).data,
        test: { path: 'x', split: 'all' as const, format: 'idx' as const, limit: '5' },
      },
    };
    const { request } = readDraft(
      impressions,
      { ...draft, texts: { ...draft.texts, count: '40', scales: '2,3' } },
      zoo,
    );
    const again = draftOf(impressions, {
      ...request,
      methodVersion: 1,
      threads: 2,
      device: 'cpu',
      data: dataOf(request),
    });
    assert.deepEqual(readDraft(impressions, again, zoo).request, request);
    assert.deepEqual(changedParams(impressions, again), new Set(['count', 'scales']));
  });
});

describe('any run, asked for again in the form', () => {
  const places = { models: ['/m/a.onnx', "/m/it's.onnx"], data: ['/d/digits', '/d/a b'], architectures: zoo };
  for (const spec of catalogue) {
    it(`is the same run: ${spec.id}`, () => {
      for (const wanted of fc.sample(anyRequest(spec, places), { seed: 9, numRuns: 12 })) {
        const { methodVersion: _version, ...asked } = wanted;
        // Spaces around a text are slips of the typing.
        const tidy = Object.entries(asked.params).map(([name, value]) => [
          name,
          typeof value === 'string' ? value.trim() : value,
        ]);
        const request = { ...asked, params: Object.fromEntries(tidy) };
        const read = readDraft(spec, draftOf(spec, wanted), zoo);
        assert.deepEqual(read.problems, {});
        assert.deepEqual({ ...read.request, params: spec.params.parse(read.request.params) }, request);
      }
    });
  }
});

describe('what is typed', () => {
  const field = (name: string) => {
    const found = paramFields(impressions).find((each) => each.name === name);
    assert.ok(found);
    return found;
  };
  const read = (name: string, text: string) => readParam(impressions, field(name), text);

  it('is taken when it is right, spaces around it or not', () => {
    assert.deepEqual(read('count', ' 24000 '), { ok: true, value: 24000 });
    assert.deepEqual(read('scales', '1, 0.1'), { ok: true, value: [1, 0.1] });
    assert.deepEqual(read('warmStart', 'true'), { ok: true, value: true });
  });

  it('is answered with what was expected and what came', () => {
    const cases: readonly (readonly [string, string, string])[] = [
      ['count', 'many', 'Expected a whole number from 10 to 1000000, got "many".'],
      ['count', '5', 'Expected a whole number from 10 to 1000000, got 5.'],
      ['count', '10.5', 'Expected a whole number from 10 to 1000000, got "10.5".'],
      ['count', '', 'Expected a whole number from 10 to 1000000.'],
      ['temperature', '0', 'Expected a number above 0 and at most 1000, got 0.'],
    ];
    for (const [name, text, problem] of cases) assert.deepEqual(read(name, text), { ok: false, problem });
  });

  it('may be nothing where an empty text, an empty list or no value is allowed', () => {
    const audit = findMethod('gradient-leakage');
    const readAudit = (name: string, text: string) => {
      const found = paramFields(audit).find((each) => each.name === name);
      assert.ok(found, name);
      return readParam(audit, found, text);
    };
    assert.deepEqual(readAudit('gradientFile', ''), { ok: true, value: '' });
    assert.deepEqual(readAudit('defences', ' '), { ok: true, value: [] });
    assert.deepEqual(readAudit('stopBelow', ''), { ok: true, value: null });
    assert.deepEqual(readAudit('defences', 'prune:0.9, int8'), { ok: true, value: ['prune:0.9', 'int8'] });
    assert.equal(readAudit('labelBatchSizes', '').ok, false);
    assert.deepEqual([...changedParams(audit, newDraft(audit))], []);
  });

  it('stays out of the request while it is wrong', () => {
    const draft = newDraft(impressions);
    const { request, problems } = readDraft(impressions, { ...draft, texts: { ...draft.texts, count: '5' } }, zoo);
    assert.equal('count' in request.params, false);
    assert.deepEqual(Object.keys(problems), ['count']);
  });

  it('names the roles that are missing', () => {
    const training = findMethod('training');
    const draft = { ...newDraft(training), models: { model: ' ' }, threads: '0' };
    assert.deepEqual(Object.keys(readDraft(training, draft, zoo).problems).toSorted(), [
      'data.train',
      'models.model',
      'threads',
    ]);
  });
});

function dataOf({ data }: ReturnType<typeof readDraft>['request']) {
  return Object.fromEntries(
    Object.entries(data).map(([role, { path, split = 'all' as const, format = 'auto' as const, limit }]) => [
      role,
      { path, split, format, ...(limit === undefined ? {} : { limit }) },
    ]),
  );
}
