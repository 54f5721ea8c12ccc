import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runStates } from '../contract/run.ts';
import { canMove, isFinal } from './states.ts';

describe('the states of a run', () => {
  it('end in succeeded and failed, and nowhere else', () => {
    assert.deepEqual(runStates.filter(isFinal), ['succeeded', 'failed']);
  });

  it('lead back to running from cancelled and interrupted only', () => {
    assert.deepEqual(
      runStates.filter((state) => canMove(state, 'running')),
      ['queued', 'cancelled', 'interrupted'],
    );
  });

  it('never lead from success to anything', () => {
    assert.deepEqual(
      runStates.filter((state) => canMove('succeeded', state)),
      [],
    );
  });
});
