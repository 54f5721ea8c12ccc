import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateArm } from '../metrics/evaluation.ts';
import { armFigures, evaluationBlocks, EvaluationData, percent } from './evaluation.ts';

const logits = Float32Array.of(9, 0, 0, 9, 9, 0, 0, 9);
const labels = Int32Array.of(0, 1, 1, 1);
const evaluation = EvaluationData.parse({
  testSet: 'digits',
  count: 4,
  classNames: ['zero', 'one'],
  arms: [
    evaluateArm({ name: 'teacher', title: 'Teacher' }, logits, labels, 2),
    evaluateArm({ name: 'student', title: 'Student' }, logits, labels, 2, logits),
  ],
});

describe('the evaluation in a report', () => {
  it('is a figure for each network, the one in focus first, with its interval and the size of the set', () => {
    const figures = armFigures(evaluation, 'student');
    assert.deepEqual(
      figures.map(({ label, value, unit, note }) => [label, value, unit, note]),
      [
        ['Student', 0.75, 'fraction', 'top-1, n = 4'],
        ['Teacher', 0.75, 'fraction', 'top-1, n = 4'],
      ],
    );
    assert.equal(figures[0]?.interval?.length, 2);
    assert.deepEqual(armFigures(undefined, 'student'), []);
  });

  it('is a table of numbers with units, so that exports keep them whole', () => {
    const [table] = evaluationBlocks(evaluation, 'student');
    assert.ok(table?.kind === 'table');
    assert.deepEqual(
      table.columns.map(({ title }) => title),
      ['Network', 'Top-1', '95 % interval', 'Agrees with teacher', 'Calibration error'],
    );
    assert.deepEqual(
      table.rows.map((row) => [row[1], row[3]]),
      [
        [0.75, null],
        [0.75, 1],
      ],
    );
  });

  it('has a column of agreement only where there is a teacher', () => {
    const alone = { ...evaluation, arms: evaluation.arms.slice(0, 1) };
    const [table] = evaluationBlocks(alone, 'teacher');
    assert.ok(table?.kind === 'table');
    assert.deepEqual(
      table.rows.map((row) => row.length),
      [4],
    );
    assert.equal(table.columns.length, 4);
  });

  it('shows the recall of all and the confusion of the one in focus, if it is there', () => {
    const [, recall, confusion] = evaluationBlocks(evaluation, 'student');
    assert.ok(recall?.kind === 'bar' && confusion?.kind === 'heat-map');
    assert.deepEqual(
      recall.series.map(({ name, values }) => [name, ...values]),
      [
        ['Teacher', 1, 2 / 3],
        ['Student', 1, 2 / 3],
      ],
    );
    assert.match(confusion.title, /Student/);
    assert.deepEqual(confusion.values, [
      [1, 0],
      [1, 2],
    ]);
    assert.equal(evaluationBlocks(evaluation, 'nobody').length, 2);
  });

  it('writes fractions as percent with one digit', () => {
    assert.equal(percent(0.98765), '98.8 %');
  });
});
