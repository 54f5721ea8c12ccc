import assert from 'node:assert/strict';
import { it } from 'node:test';
import { readNames, readNormalisation } from './notes.ts';

it('class names are one a line, as many as there are classes', () => {
  assert.deepEqual(readNames('cat\n dog \n\n', 2), { ok: true, value: ['cat', 'dog'] });
  assert.deepEqual(readNames('\n', 2), { ok: true, value: null });
  assert.deepEqual(readNames(`{0: 'cat', 1: 'dog'}`, 2), { ok: true, value: ['cat', 'dog'] });
  assert.deepEqual(readNames('LABEL_0\nLABEL_1', 2), { ok: true, value: ['LABEL_0', 'LABEL_1'] });
  assert.deepEqual(readNames('cat', 2), { ok: false, problem: 'Expected 2 names, got 1.' });
});

it('a normalisation needs a mean and a standard deviation above zero for each channel', () => {
  assert.deepEqual(readNormalisation('0.5, 0', '0.5,1'), { ok: true, value: { mean: [0.5, 0], std: [0.5, 1] } });
  assert.deepEqual(readNormalisation('', ' '), { ok: true, value: null });
  for (const [mean, std] of [
    ['0.5', ''],
    ['0.5', '0'],
    ['0.5,0.5', '1'],
    ['half', '1'],
  ]) {
    assert.equal(readNormalisation(mean ?? '', std ?? '').ok, false, `${mean} and ${std}`);
  }
});
