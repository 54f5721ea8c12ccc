import assert from 'node:assert/strict';
import { it } from 'node:test';
import { matching } from './log-search.ts';

const line = (seq: number, level: 'info' | 'warning', message: string) => ({
  jobId: 'j',
  seq,
  atMs: seq,
  level,
  message,
});
const lines = [line(0, 'info', 'Opened LeNet-5'), line(1, 'warning', 'Run 3 diverged'), line(2, 'info', 'Run 3 done')];
const found = (asked: string): number[] => matching(lines, asked).map(({ seq }) => seq);

it('a log is searched for all words at once, in any case', () => {
  assert.deepEqual(found('RUN 3'), [1, 2]);
  assert.deepEqual(found('3 warning'), [1]);
  assert.deepEqual(found('nothing'), []);
});

it('a log without a search is the very same', () => assert.equal(matching(lines, '  '), lines));
