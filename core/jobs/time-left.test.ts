import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTimeLeft, type Reached, type TimeLeft } from './time-left.ts';

const half = (phase: string, step: number, before: number): Reached => ({
  phase,
  step,
  totalSteps: 100,
  fraction: before + step / 200,
});

/** Steps of a phase that is half of the run, each as long as said. Gives what was said after each. */
function go(left: TimeLeft, phase: string, from: number, msEach: number): (number | undefined)[] {
  const before = phase === 'a' ? 0 : 0.5;
  return Array.from({ length: 100 }, (_, i) => left.after(half(phase, i + 1, before), from + (i + 1) * msEach));
}

describe('the time left', () => {
  it('is not said before something was measured, and is exact while all steps take the same', () => {
    const left = createTimeLeft();
    const said = go(left, 'a', 0, 100);
    assert.deepEqual(said.slice(0, 15), Array(15).fill(undefined));
    said.slice(15).forEach((ms, i) => assert.equal(Math.round(ms ?? 0), (200 - 16 - i) * 100));
  });

  it('does not count what came before the first step', () => {
    const [late, early] = [createTimeLeft(), createTimeLeft()];
    assert.deepEqual(go(late, 'a', 60_000, 100), go(early, 'a', 0, 100));
  });

  it('moves without a jump where a phase of another speed begins, and comes to its speed', () => {
    const left = createTimeLeft();
    const last = go(left, 'a', 0, 100).at(-1) ?? 0;
    const slow = go(left, 'b', 10_000, 400).map((ms) => ms ?? Number.NaN);
    assert.equal(Math.round(last), 10_000);
    const steps = [last, ...slow];
    for (let i = 1; i < steps.length; i++) {
      const [before = 0, now = 0] = [steps[i - 1], steps[i]];
      assert.ok(Math.abs(now - before) < 0.25 * before + 1000, `${before} → ${now} at step ${i}`);
    }
    const true20 = (100 - 20) * 400;
    assert.ok(Math.abs((slow[19] ?? 0) - true20) < 0.35 * true20, `${slow[19]} of ${true20}`);
    assert.equal(slow.at(-1), 0);
  });

  it('keeps the speed of all phases for those that are still to come', () => {
    const left = createTimeLeft();
    const parts = (step: number): Reached => ({ phase: 'a', step, totalSteps: 10, fraction: step / 100 });
    for (let step = 0; step < 6; step++) left.after(parts(step), step * 1000);
    assert.equal(Math.round(left.after(parts(6), 6000) ?? 0), 94_000);
  });

  it('is nothing at the end', () => {
    assert.equal(createTimeLeft().after({ phase: 'a', step: 1, totalSteps: 1, fraction: 1 }, 5), 0);
  });
});
