import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RunQuery } from '../../../core/contract/history.ts';
import { isFiltering, noFilter, queryOf } from './filter.ts';

describe('the filter of the table of runs', () => {
  it('asks for the first hundred runs when nothing is chosen', () => {
    assert.deepEqual(queryOf(noFilter, undefined, undefined, 0), { offset: 0, limit: 100 });
    assert.equal(isFiltering(noFilter), false);
  });

  it('puts every choice into the words of the host', () => {
    const filter = { text: '  lenet ', state: 'failed', methodId: 'attribution', tag: 'paper', isTrash: true };
    const query = queryOf(filter, 'g1', { by: 'metrics.loss', descending: true }, 2);
    assert.deepEqual(RunQuery.parse(query), query);
    assert.deepEqual(query, {
      text: 'lenet',
      states: ['failed'],
      methodIds: ['attribution'],
      tags: ['paper'],
      groupId: 'g1',
      isTrash: true,
      sort: { by: 'metrics.loss', descending: true },
      offset: 200,
      limit: 100,
    });
    assert.equal(isFiltering(filter), true);
  });

  it('asks for no state that there is not', () => {
    assert.equal('states' in queryOf({ ...noFilter, state: 'asleep' }, undefined, undefined, 0), false);
  });
});
