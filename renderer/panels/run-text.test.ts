import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatWhen, headline, humanise, runSubjects, runTitle } from './run-text.ts';

describe('the name of a run', () => {
  it('is that of its method and recipe', () => {
    const row = { methodId: 'data-impressions', recipe: 'quick' };
    assert.equal(runTitle(row), 'Data impressions and zero-shot distillation, quick look');
    assert.equal(runTitle({ ...row, recipe: null }), 'Data impressions and zero-shot distillation');
  });

  it('keeps what is not known here', () => {
    assert.equal(runTitle({ methodId: 'of-another-version', recipe: 'odd' }), 'of-another-version, odd');
  });

  it('says the models and the data', () => {
    assert.equal(runSubjects({ models: { teacher: 'a.onnx', student: 'b' }, data: {} }), 'a → b');
    assert.equal(runSubjects({ models: { model: 'b' }, data: { train: 'x', test: 'y' } }), 'b · x, y');
  });
});

it('the headline is the first column that has a figure', () => {
  const methodId = 'data-impressions';
  assert.equal(headline({ methodId, metrics: { studentAccuracy: 0.961 } }), '96.1\u202f% student accuracy');
  assert.equal(
    headline({ methodId, metrics: { studentAccuracy: null, attained: 0.5 } }),
    '50.0\u202f% targets attained',
  );
  assert.equal(headline({ methodId, metrics: {} }), undefined);
});

it('identifiers become words', () => {
  assert.equal(humanise('synthesisLoss'), 'Synthesis loss');
  assert.equal(humanise('loss'), 'Loss');
});

it('a moment is said as shortly as it stays clear', () => {
  const now = new Date(2026, 10, 22, 15, 0).getTime();
  assert.equal(formatWhen(new Date(2026, 10, 22, 9, 5).getTime(), now), 'today, 09:05');
  assert.equal(formatWhen(new Date(2026, 10, 21, 9, 5).getTime(), now), '21 Nov, 09:05');
  assert.equal(formatWhen(new Date(2025, 10, 21, 9, 5).getTime(), now), '21 Nov 2025');
});
