import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorCodes, invariant, toWorkbenchError, WorkbenchError } from './errors.ts';

describe('a workbench error', () => {
  it('survives the way through JSON with code, message, hint and details', () => {
    for (const code of errorCodes) {
      const error = new WorkbenchError(code, 'expected 3, got 4', { hint: 'Count again.', details: { found: 4 } });
      const back = WorkbenchError.fromShape(JSON.parse(JSON.stringify(error.toShape())));
      assert.deepEqual(back.toShape(), error.toShape());
    }
  });

  it('leaves out of its shape what it does not have', () => {
    assert.deepEqual(new WorkbenchError('USAGE', 'no').toShape(), { code: 'USAGE', message: 'no' });
  });

  it('keeps the cause to itself', () => {
    const cause = new Error('deep');
    const error = new WorkbenchError('INTERNAL', 'shallow', { cause });
    assert.equal(error.cause, cause);
    assert.doesNotMatch(JSON.stringify(error.toShape()), /deep/);
  });
});

describe('anything thrown', () => {
  it('passes as it is when it is coded already', () => {
    const error = new WorkbenchError('CANCELLED', 'enough');
    assert.equal(toWorkbenchError(error), error);
  });

  it('becomes INTERNAL with the message and a hint', () => {
    const cause = new TypeError('x is not a function');
    const error = toWorkbenchError(cause);
    assert.deepEqual([error.code, error.message, error.cause], ['INTERNAL', 'x is not a function', cause]);
    assert.match(error.hint ?? '', /report/);
    assert.equal(toWorkbenchError('only text').message, 'only text');
  });
});

describe('an invariant', () => {
  it('is silent while it holds and says what broke', () => {
    invariant(1, 'one is true');
    assert.throws(
      () => invariant(0, 'a batch has rows'),
      (error) => error instanceof WorkbenchError && error.code === 'INTERNAL' && /a batch has rows/.test(error.message),
    );
  });
});
