import assert from 'node:assert/strict';
import { it } from 'node:test';
import { runChanges } from './run-changes.ts';

const asked = (params: Record<string, unknown>, recipe: string | null = 'quick', methodId = 'data-impressions') =>
  runChanges({ methodId, recipe, params });

it('a run tells what it was asked beside its recipe', () => {
  assert.equal(asked({}), '');
  assert.equal(asked({ seed: 0 }), '');
  assert.equal(asked({ count: 41, seed: 1 }), 'Seed 1, Impressions 41');
  assert.equal(asked({ count: 41, steps: 11, seed: 1, epochs: 3 }).replace(/^.*, /, ''), '1 more');
});

it('a run of a method that is not here tells nothing', () => assert.equal(asked({ seed: 1 }, null, 'nothing'), ''));
