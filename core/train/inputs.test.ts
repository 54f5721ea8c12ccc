import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { classNamesOf } from './inputs.ts';

describe('names of classes', () => {
  const data = { labelNames: ['a', 'b'] };

  it('are what the user calls those of the model, else the data’s, else numbers', () => {
    assert.deepEqual(classNamesOf({ classes: 2, classNames: ['x', 'y'] }, data), ['x', 'y']);
    assert.deepEqual(classNamesOf({ classes: 2 }, undefined, data), ['a', 'b']);
    assert.deepEqual(classNamesOf({ classes: 2 }), ['0', '1']);
  });

  it('are left alone when there are not as many as classes', () => {
    assert.deepEqual(classNamesOf({ classes: 3, classNames: ['x', 'y'] }, data), ['0', '1', '2']);
  });
});
