import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { permutation, stream } from '../base/rng.ts';
import { sizeOf } from '../base/tensor.ts';
import { tinyShapes } from '../data/synthetic.ts';
import { agreement, argmaxRows } from '../metrics/classification.ts';
import type { SessionOptions } from '../runtime/session.ts';
import {
  armsCheckpoint,
  armSteps,
  restoreArms,
  trainArms,
  type Arm,
  type ArmProgress,
  type ArmStates,
} from './arms.ts';
import { predictLogits } from './evaluate-arms.ts';
import { arraySource } from './evaluate.ts';
import { opened, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from './testing/tiny-teacher.ts';

const teacher = await opened(await trainedOnShapes(tinyNet()));
const student = await opened(tinyNet({ hidden: 6, seed: 9 }));
const session: SessionOptions = { device: 'cpu', threads: 1 };
const size = sizeOf(tinyShape);
const { images } = tinyShapes(5, 60, tinyShape, tinyClasses);
const source = arraySource(images, tinyShape);
const never = new AbortController().signal;
const responses = await predictLogits(teacher, source, session, never);

function arm(name: string, more: Partial<Arm> = {}, options: Partial<Arm['options']> = {}): Arm {
  return {
    name,
    title: `Arm ${name}`,
    set: { source },
    selection: 'final',
    ...more,
    options: {
      name,
      teacher,
      student,
      temperature: 4,
      epochs: 4,
      batchSize: 16,
      learningRate: 0.02,
      schedule: 'cosine',
      weightDecay: 0,
      view: { rotationDegrees: 20, scaleMin: 0.9, scaleMax: 1.1, translatePixels: 1 },
      plainEpochs: 3,
      seed: 6,
      ...options,
    },
  };
}

interface Trained {
  readonly states: ArmStates;
  readonly said: ArmProgress[];
  readonly checkpoints: ReturnType<typeof armsCheckpoint>[];
}

async function train(
  arms: readonly Arm[],
  { lanes = 1, msPerLook = 0, states = new Map() as ArmStates } = {},
): Promise<Trained> {
  let atMs = 0;
  const said: ArmProgress[] = [];
  const checkpoints: ReturnType<typeof armsCheckpoint>[] = [];
  const sessions = Array.from({ length: lanes }, () => session);
  for await (const word of trainArms(arms, sessions, states, () => (atMs += msPerLook))) {
    said.push(word);
    checkpoints.push(structuredClone(armsCheckpoint(states)));
  }
  return { states, said, checkpoints };
}

/** What a run gives away. */
const kept = ({ states }: Trained): unknown =>
  Object.fromEntries([...states].map(([name, state]) => [name, [state.kept, state.isDone, state.agreement]]));

const agreeing = (name: string): Arm => arm(name, { selection: 'agreement', responses });

describe('the arms of a comparison', () => {
  it('are all trained to their end, and say every loss once', async () => {
    const arms = [arm('student'), arm('noise'), arm('real')];
    const { states, said } = await train(arms, { lanes: 2 });
    for (const { name } of arms) {
      const steps = said
        .filter((word) => word.arm.name === name)
        .flatMap(({ firstStep, losses }) => [...losses.keys()].map((i) => firstStep + i));
      assert.deepEqual(
        steps,
        Array.from({ length: armSteps(arm(name)) }, (_, i) => i),
      );
      assert.equal(states.get(name)?.isDone, true);
    }
    assert.equal(armSteps(arm('student')), 15);
  });

  it('give the same bits for any number of lanes and any chunks', async () => {
    const arms = [arm('student'), agreeing('other')];
    const one = await train(arms);
    assert.deepEqual(kept(await train(arms, { lanes: 3, msPerLook: 1000 })), kept(one));
    assert.deepEqual(kept(await train(arms, { lanes: 2, msPerLook: 100 })), kept(one));
  });

  it('go on from a checkpoint at any chunk to the same bits', async () => {
    const arms = [arm('student'), agreeing('other')];
    const straight = await train(arms, { lanes: 2, msPerLook: 300 });
    assert.ok(straight.checkpoints.length > 8);
    for (const { json, tensors } of straight.checkpoints) {
      const resumed = await train(arms, { states: restoreArms(JSON.parse(JSON.stringify(json)), tensors) });
      assert.deepEqual(kept(resumed), kept(straight));
    }
  });

  it('keep in their states exactly what they have said, however long the listener takes', async () => {
    const states: ArmStates = new Map();
    const heard = new Map<string, number>();
    let atMs = 0;
    const arms = [arm('student'), arm('noise'), arm('real')];
    for await (const { arm: speaker, losses } of trainArms(
      arms,
      [session, session, session],
      states,
      () => (atMs += 300),
    )) {
      heard.set(speaker.name, (heard.get(speaker.name) ?? 0) + losses.length);
      // Time in which the other arms finish their chunks.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual(new Map([...states].map(([name, { snapshot }]) => [name, snapshot.step])), heard);
    }
  });

  it('do not train again what is done', async () => {
    const { states } = await train([arm('student')]);
    assert.deepEqual((await train([arm('student')], { states })).said, []);
  });
});

describe('selection by agreement', () => {
  /** Agreement with the teacher on the images that the arm holds out. */
  async function heldOutAgreement(parameters: Parameters<typeof predictLogits>[4]): Promise<number> {
    const held = permutation(stream(6, 'student.held-out'), 60).slice(0, 6);
    const rows = new Float32Array(6 * size);
    held.forEach((index, i) => rows.set(images.subarray(index * size, (index + 1) * size), i * size));
    const answers = argmaxRows(
      await predictLogits(student, arraySource(rows, tinyShape), session, never, parameters),
      tinyClasses,
    );
    const all = argmaxRows(responses, tinyClasses);
    return agreement(
      answers,
      [...held].map((index) => all[index] ?? -1),
    );
  }

  it('holds a tenth of the images out of the training', () => {
    assert.equal(armSteps(agreeing('student')), Math.ceil((54 * 4) / 16));
  });

  it('keeps the first student with the best agreement, looked at after each epoch', async () => {
    const { states, said, checkpoints } = await train([agreeing('student')]);
    // 54 images in batches of 16: a look every four steps, and at the end.
    const looks = said.flatMap(({ firstStep, losses }, i) => {
      const step = firstStep + losses.length;
      return step % 4 === 0 || step === 14 ? [{ step, tensors: checkpoints[i]?.tensors ?? {} }] : [];
    });
    assert.deepEqual(
      looks.map(({ step }) => step),
      [4, 8, 12, 14],
    );
    const found: { agreement: number; parameters: Record<string, unknown> }[] = [];
    for (const { tensors } of looks) {
      const prefix = 'arm/student/state/student.';
      const parameters = Object.fromEntries(
        Object.entries(tensors)
          .filter(([key]) => key.startsWith(prefix))
          .map(([key, value]) => [key.slice(prefix.length), value]),
      );
      found.push({ agreement: await heldOutAgreement(parameters), parameters });
    }
    const best = Math.max(...found.map((look) => look.agreement));
    const state = states.get('student');
    assert.equal(state?.agreement, best);
    assert.deepEqual({ ...state.kept }, found.find((look) => look.agreement === best)?.parameters);
  });

  it('gives the last student when it is not asked for', async () => {
    const { states } = await train([arm('student')]);
    const state = states.get('student');
    assert.equal(state?.agreement, -1);
    assert.deepEqual(state.kept['fc1.weight'], state.snapshot.tensors['student.fc1.weight']);
  });
});
