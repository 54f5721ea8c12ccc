import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  constantSchedule,
  cosineSchedule,
  oneCycleSchedule,
  stepSchedule,
  withWarmup,
  type Schedule,
} from './schedules.ts';

const { value: fixture } = JSON.parse(readFileSync(new URL('fixtures/schedules.json', import.meta.url), 'utf8')) as {
  value: Readonly<Record<'step' | 'cosine' | 'oneCycle', readonly number[]>>;
};

function assertRates(schedule: Schedule, expected: readonly number[]): void {
  assert.ok(expected.length > 0);
  expected.forEach((rate, step) =>
    assert.ok(Math.abs(schedule(step) - rate) < 1e-12, `step ${step}: ${schedule(step)}, expected ${rate}`),
  );
}

describe('a learning rate schedule', () => {
  it('drops at milestones as MultiStepLR does', () => {
    assertRates(stepSchedule({ learningRate: 0.2, milestones: [3, 7] }), fixture.step);
  });
  it('follows CosineAnnealingLR, and stays on its floor', () => {
    const schedule = cosineSchedule({ learningRate: 0.2, totalSteps: 10, floor: 0.01 });
    assertRates(schedule, fixture.cosine);
    assert.equal(schedule(25), 0.01);
  });
  it('follows OneCycleLR', () => {
    assertRates(oneCycleSchedule({ peak: 0.2, totalSteps: 20 }), fixture.oneCycle);
  });
  it('gives finite rates for a one-cycle of very few steps', () => {
    for (const totalSteps of [1, 2, 3]) {
      const schedule = oneCycleSchedule({ peak: 0.2, totalSteps });
      for (let step = 0; step < totalSteps; step++) assert.ok(schedule(step) > 0 && schedule(step) <= 0.2);
    }
  });
  it('warms up in a straight line before it follows the schedule inside', () => {
    const schedule = withWarmup(constantSchedule(0.4), 4, 0.25);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((step) => Number(schedule(step).toFixed(6))),
      [0.1, 0.175, 0.25, 0.325, 0.4, 0.4],
    );
  });
});
