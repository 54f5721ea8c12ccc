import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellSeries, fillTable, LiveTable, withTable } from './live-table.ts';

const table = LiveTable.parse({
  name: 'accuracy',
  title: 'Accuracy',
  unit: 'fraction',
  rowTitle: 'Attack',
  columnTitle: 'Epsilon',
  rows: [{ label: 'noise', kind: 'apart' }, { label: 'step' }, { label: 'worst', kind: 'summary' }],
  columns: ['0.1', '0.3'],
  total: 20,
  of: 'images',
});

describe('a table that fills', () => {
  it('shows the newest point of each cell’s curve, nothing where there is none, and rows that stand apart last', () => {
    const points: Record<string, { step: number; value: number }> = {
      [cellSeries(table, 'step', '0.1')]: { step: 20, value: 0.5 },
      [cellSeries(table, 'noise', '0.3')]: { step: 8, value: 0.9 },
      'accuracy.elsewhere, 0.1': { step: 3, value: 0 },
    };
    assert.deepEqual(
      fillTable(table, (series) => points[series]),
      [
        { label: 'step', kind: 'usual', cells: [{ value: 0.5, done: 20 }, undefined] },
        { label: 'worst', kind: 'summary', cells: [undefined, undefined] },
        { label: 'noise', kind: 'apart', cells: [undefined, { value: 0.9, done: 8 }] },
      ],
    );
  });

  it('is replaced in its place by one of its name', () => {
    const other = { ...table, name: 'other' };
    const again = { ...table, total: 30 };
    assert.deepEqual(withTable(withTable(withTable([], table), other), again), [again, other]);
  });

  it('has a name without a dot, which ends the family of its curves', () => {
    assert.equal(LiveTable.safeParse({ ...table, name: 'a.b' }).success, false);
  });
});
