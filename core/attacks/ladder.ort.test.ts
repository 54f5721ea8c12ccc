import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { bundledModel, openModelFile } from '../train/models.ts';
import { prepareAttack } from './registry.ts';
import { runAttack, type SampleRecord, type ShellInput } from './shell.ts';
import { kurakinSteps } from './step-attacks.ts';
import { openTeacher, testDigits, type Labelled } from './testing/teacher.ts';
import { openVictim, type Victim } from './victim.ts';

let victim: Victim;
let stranger: Victim;
let digits: Labelled;
const count = 30;

before(async () => {
  [victim, digits] = [await openTeacher(), await testDigits(count)];
  const other = await openModelFile(bundledModel('lenet5-fmnist'));
  stranger = openVictim(other, { session: { device: 'cpu', threads: 1 } });
});
after(() => Promise.all([victim.close(), stranger.close()]));

async function run(
  id: string,
  options: object,
  threat: ShellInput['threat'],
  sources?: readonly Victim[],
): Promise<readonly SampleRecord[]> {
  const input = { victim, ...digits, threat, seed: 0, ...(sources ? { sources } : {}) };
  const steps = runAttack(prepareAttack(id, options), input);
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value.records;
  }
}

const linf = (epsilon: number): ShellInput['threat'] => ({ norm: 'linf', epsilon });
const standing = (records: readonly SampleRecord[]): number =>
  records.filter(({ verdict }) => verdict === 'robust').length;

describe('attacks on a network that does not defend itself', () => {
  it('are the stronger the more they may do: noise, one step, ten, forty, restarts', async () => {
    const left = [
      standing(await run('noise', {}, linf(0.1))),
      standing(await run('fgsm', {}, linf(0.1))),
      standing(await run('bim', {}, linf(0.1))),
      standing(await run('pgd', { stepSize: 0.01 }, linf(0.1))),
      standing(await run('pgd', { stepSize: 0.01, restarts: 3 }, linf(0.1))),
    ];
    left.slice(1).forEach((now, i) => assert.ok(now <= left[i]!, left.join(' ')));
    assert.ok(left[0]! > 1.3 * left[4]!, left.join(' '));
  });

  it('leave nothing standing where the ball is the box', async () => {
    assert.equal(standing(await run('pgd', { steps: 20 }, linf(1))), 0);
    assert.equal(standing(await run('apgd-ce', { steps: 20 }, { norm: 'l2', epsilon: 20 })), 0);
  });

  it('always find a perturbation of some size', async () => {
    const any = { norm: 'l2', epsilon: Infinity } as const;
    for (const [id, options] of [
      ['deepfool', {}],
      ['ddn', { steps: 40 }],
      ['fmn', { steps: 40 }],
      ['boundary', { steps: 10 }],
    ] as const) {
      assert.equal(standing(await run(id, options, any)), 0, id);
    }
  });

  it('reach the class that they are told to reach, or count as failures', async () => {
    const targets = digits.labels.map((label) => (label + 1) % 10);
    for (const [id, options, norm, epsilon] of [
      ['pgd', {}, 'linf', 0.25],
      ['apgd-dlr', { steps: 30 }, 'linf', 0.25],
      ['ddn', { steps: 60 }, 'l2', 6],
      ['carlini-wagner', { rounds: 3, steps: 60 }, 'l2', Infinity],
      ['jsma', { searched: 100 }, 'l0', 120],
    ] as const) {
      const records = await run(id, options, { norm, epsilon, targets });
      for (const { verdict, reached, target } of records) assert.equal(verdict === 'fooled', reached === target, id);
      assert.ok(standing(records) < 0.5 * count, `${id}: ${standing(records)}`);
    }
  });

  it('take as many steps of BIM as its paper does where it is asked', async () => {
    assert.deepEqual(
      [2, 8, 16, 32].map((epsilon) => kurakinSteps(epsilon / 255)),
      [2, 10, 20, 36],
    );
    const options = { asInPaper: true, stopsAtSuccess: false };
    for (const { gradientCalls } of await run('bim', options, linf(8 / 255))) assert.equal(gradientCalls, 10);
  });

  it('need fewer pixels in l0 than its share allows', async () => {
    const records = await run('jsma', { gamma: 0.05, searched: 100 }, { norm: 'l0', epsilon: 784 });
    for (const { l0 } of records) assert.ok(l0 <= Math.floor((0.05 * 784) / 2) * 2);
    assert.ok(standing(records) < count);
  });
});

describe('adversarial images of another model', () => {
  it('say whether they fool their source; the model itself is the best one', async () => {
    const own = await run('transfer', {}, linf(0.2), [victim]);
    for (const { verdict, flags } of own) assert.equal(verdict === 'fooled', flags.includes('fools-source'));
    const foreign = await run('transfer', {}, linf(0.2), [stranger]);
    assert.ok(standing(foreign) > standing(own));
  });

  it('need another model', async () => {
    await assert.rejects(
      run('transfer', {}, linf(0.2)),
      (thrown: unknown) => thrown instanceof WorkbenchError && thrown.code === 'PARAM_INVALID',
    );
  });
});
