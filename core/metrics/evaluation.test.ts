import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluateArm } from './evaluation.ts';
import { wilsonInterval } from './intervals.ts';

const arm = { name: 'student', title: 'Student' };
/** Sure answers for the classes given, [N, 3]. */
const answers = (classes: readonly number[]): Float32Array =>
  Float32Array.from(classes.flatMap((k) => [0, 1, 2].map((j) => (j === k ? 50 : 0))));

describe('the evaluation of a network', () => {
  const labels = Int32Array.of(0, 0, 1, 1, 1);
  const found = evaluateArm(arm, answers([0, 1, 1, 1, 2]), labels, 3, answers([0, 1, 1, 0, 0]));

  it('counts hits, with their interval', () => {
    const { low, high } = wilsonInterval(3, 5);
    assert.deepEqual([found.accuracy, found.interval], [0.6, [low, high]]);
  });

  it('tells recall by class, null for one that the set lacks, and the confusion', () => {
    assert.deepEqual(found.recall, [0.5, 2 / 3, null]);
    assert.deepEqual(found.confusion, [
      [1, 1, 0],
      [0, 2, 1],
      [0, 0, 0],
    ]);
  });

  it('measures agreement with the teacher’s answers, not with the labels', () => {
    assert.equal(found.agreement, 0.6);
    assert.equal(evaluateArm(arm, answers([0, 0, 1, 1, 1]), labels, 3).agreement, null);
  });

  it('finds a network that is sure and wrong to be badly calibrated', () => {
    assert.ok(Math.abs(found.calibrationError - 0.4) < 1e-6);
    assert.ok(evaluateArm(arm, answers([0, 0, 1, 1, 1]), labels, 3).calibrationError < 1e-6);
  });

  it('survives JSON', () => {
    assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
  });
});
