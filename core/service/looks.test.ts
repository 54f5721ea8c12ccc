import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { toyRequest } from '../jobs/testing/toy-workspace.ts';
import { createLooks, type Looks } from './looks.ts';

interface Opened {
  readonly looks: Looks;
  /** Ends the oldest look that is under way. */
  answer(found: string): void;
  readonly limits: (number | undefined)[];
  machine: { isComputing: boolean };
}

function open(): Opened {
  const machine = { isComputing: false };
  const limits: (number | undefined)[] = [];
  const waiting: ((found: string) => void)[] = [];
  const looks = createLooks(
    () => machine.isComputing,
    (_, { signal, timeLimitMs }) => {
      limits.push(timeLimitMs);
      return new Promise((resolve, reject) => {
        waiting.push(resolve);
        signal.addEventListener('abort', () => reject(new WorkbenchError('CANCELLED', 'stopped')));
      });
    },
  );
  return { looks, machine, limits, answer: (found) => waiting.shift()?.(found) };
}

const asked = { lookId: 'a', isByItself: false };
const byItself = { lookId: 'b', isByItself: true };

describe('a look ahead', () => {
  it('gives what was found', async () => {
    const { looks, answer } = open();
    const found = looks.look(toyRequest(), asked);
    answer('all is well');
    assert.equal(await found, 'all is well');
  });

  it('is stopped by its window, and by the next of the same window', async () => {
    const { looks, answer } = open();
    const first = looks.look(toyRequest(), asked);
    const second = looks.look(toyRequest(), asked);
    await assert.rejects(first, { code: 'CANCELLED' });
    looks.stop('another');
    looks.stop('a');
    await assert.rejects(second, { code: 'CANCELLED' });
    const third = looks.look(toyRequest(), asked);
    answer('first');
    answer('second');
    answer('third');
    assert.equal(await third, 'third');
  });

  it('by itself gives way to a run, and does not begin beside one; one that was asked for does', async () => {
    const { looks, machine, answer, limits } = open();
    const own = looks.look(toyRequest(), byItself);
    const wanted = looks.look(toyRequest(), asked);
    looks.giveWay();
    await assert.rejects(own, { code: 'CANCELLED' });
    machine.isComputing = true;
    await assert.rejects(looks.look(toyRequest(), byItself), { code: 'RUN_STATE' });
    answer('');
    answer('found');
    assert.equal(await wanted, 'found');
    assert.deepEqual(limits, [60_000, undefined]);
  });

  it('by itself does not disturb a measurement', async () => {
    const { looks, answer } = open();
    const own = looks.look(toyRequest(), byItself);
    await looks.without(async () => {
      await assert.rejects(own, { code: 'CANCELLED' });
      await assert.rejects(looks.look(toyRequest(), byItself), { code: 'RUN_STATE' });
    });
    const after = looks.look(toyRequest(), byItself);
    answer('');
    answer('found');
    assert.equal(await after, 'found');
  });

  it('ends with its host', async () => {
    const { looks } = open();
    const found = looks.look(toyRequest(), asked);
    looks.close();
    await assert.rejects(found, { code: 'CANCELLED' });
  });
});
