import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { tinyShapesSet } from '../data/synthetic.ts';
import { evaluateArms, predictLogits, type ArmToScore } from './evaluate-arms.ts';
import { opened, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from './testing/tiny-teacher.ts';

const trained = await trainedOnShapes(tinyNet());
const teacher = await opened(trained);
const fresh = await opened(tinyNet());
const test = tinyShapesSet(2, 120, tinyShape);
const session = { device: 'cpu', threads: 1 } as const;
const never = new AbortController().signal;
const names = ['a', 'b', 'c', 'd'];
const labels = test.labels ?? assert.fail();
const weights = Object.fromEntries(
  ['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'].map((name) => [
    name,
    trained.graph.initializers.get(name) ?? assert.fail(),
  ]),
);

const score = (arms: readonly ArmToScore[]) => evaluateArms(arms, test, labels, names, session, never);

describe('the arms on a labelled set', () => {
  it('are scored in their order, and held against the teacher', async () => {
    const { arms, count, classNames } = await score([
      { name: 'teacher', title: 'Teacher', model: teacher },
      { name: 'student', title: 'Student', model: fresh },
      { name: 'copy', title: 'Copy', model: fresh, parameters: weights },
    ]);
    assert.deepEqual([count, classNames, arms.map(({ name }) => name)], [120, names, ['teacher', 'student', 'copy']]);
    const [first, student, copy] = arms;
    assert.ok(first && student && copy);
    assert.ok(first.accuracy > 0.9 && student.accuracy < 0.7);
    assert.equal(first.agreement, null);
    assert.ok((student.agreement ?? 1) < 0.7);
    assert.deepEqual({ ...copy, name: 'teacher', title: 'Teacher', agreement: null }, first);
    assert.equal(copy.agreement, 1);
  });

  it('have no agreement without a teacher', async () => {
    const { arms } = await score([{ name: 'student', title: 'Student', model: teacher }]);
    assert.equal(arms[0]?.agreement, null);
  });

  it('give logits of every image, and stop when they are told to', async () => {
    const logits = await predictLogits(teacher, test, session, never);
    assert.equal(logits.length, 120 * tinyClasses);
    await assert.rejects(
      predictLogits(teacher, test, session, AbortSignal.abort()),
      (error) => error instanceof WorkbenchError && error.code === 'CANCELLED',
    );
  });
});
