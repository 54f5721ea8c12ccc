import assert from 'node:assert/strict';
import { it } from 'node:test';
import { familiesOf, tableOf, unchanged } from './families.ts';

it('curves of one kind share a chart, in the order in which they came', () => {
  assert.deepEqual(familiesOf(['synthesisLoss', 'loss.student', 'loss.noise']), [
    { name: 'synthesisLoss', members: [{ series: 'synthesisLoss', label: 'synthesisLoss' }] },
    {
      name: 'loss',
      members: [
        { series: 'loss.student', label: 'student' },
        { series: 'loss.noise', label: 'noise' },
      ],
    },
  ]);
});

it('the table twin has a row for each step of any curve', () => {
  const table = tableOf(
    [
      {
        label: 'a',
        points: [
          [0, 1],
          [2, 3],
        ],
      },
      { label: 'b', points: [[2, 5]] },
    ],
    'step',
  );
  assert.deepEqual(table, {
    head: ['step', 'a', 'b'],
    rows: [
      [0, 1, undefined],
      [2, 3, 5],
    ],
  });
});

it('curves to which no point has come stay the very same', () => {
  const points = [[0, 1]] as const;
  const before = [{ label: 'a', points }];
  assert.equal(unchanged(before, [{ label: 'a', points }]), before);
  for (const after of [[], [{ label: 'b', points }], [{ label: 'a', points: [...points] }], [...before, ...before]]) {
    assert.equal(unchanged(before, after), after);
  }
  assert.equal(unchanged(undefined, before), before);
});
