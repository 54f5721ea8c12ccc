import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { openModel } from '../train/models.ts';
import { argmaxRows } from '../metrics/classification.ts';
import { prepareAttack } from './registry.ts';
import { runAttack, type AttackOutcome } from './shell.ts';
import { openTeacher, testDigits, type Labelled } from './testing/teacher.ts';
import { openVictim, type Victim } from './victim.ts';

let victim: Victim;
let digits: Labelled;

before(async () => {
  [victim, digits] = [await openTeacher(), await testDigits(20)];
});
after(() => victim.close());

async function run(options: object): Promise<AttackOutcome> {
  const attack = prepareAttack('pgd', { steps: 600, stepSize: 0.02, ...options });
  const steps = runAttack(attack, { victim, ...digits, threat: { norm: 'linf', epsilon: 0.08 }, seed: 0 });
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
  }
}

const calls = ({ records }: AttackOutcome): number => records.reduce((sum, record) => sum + record.gradientCalls, 0);
const verdicts = ({ records }: AttackOutcome): string[] => records.map(({ verdict }) => verdict);

describe('PGD that ends where it repeats itself', () => {
  it('comes to the same verdicts with a fifth of the gradients of all steps', async () => {
    const [ends, goesOn] = [await run({}), await run({ detectsCycles: false })];
    assert.deepEqual(verdicts(ends), verdicts(goesOn));
    const standing = ends.records.filter(({ verdict }) => verdict === 'robust');
    assert.ok(standing.length > 4);
    assert.ok(standing.filter(({ flags }) => flags.includes('cycle')).length > 0.8 * standing.length);
    assert.ok(2 * calls(ends) < calls(goesOn), `${calls(ends)} against ${calls(goesOn)}`);
    // Without either stop every image takes all 600.
    assert.ok(5 * calls(ends) < 20 * 600, `${calls(ends)}`);
  });

  it('comes to the same verdicts as all its steps on networks with random weights', async () => {
    let cycles = 0;
    for (const seed of [0, 1, 2, 3]) {
      const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', {
        shape: [1, 6, 6],
        classes: 4,
        seed,
      });
      const random = openVictim(model, { session: { device: 'cpu', threads: 1 } });
      const images = new Float32Array(16 * 36);
      fillUniform(stream(seed, 'images'), images);
      const labels = argmaxRows(await random.logits(images), 4);
      const input = { victim: random, images, labels, indices: labels.map((_, i) => i) };
      const epsilon = 0.01 * (seed + 1);
      const of = async (detectsCycles: boolean): Promise<AttackOutcome> => {
        const attack = prepareAttack('pgd', { steps: 80, relativeStep: 0.3, detectsCycles });
        const steps = runAttack(attack, { ...input, threat: { norm: 'linf', epsilon }, seed });
        for (;;) {
          const step = await steps.next();
          if (step.done) return step.value;
        }
      };
      const [ends, goesOn] = [await of(true), await of(false)];
      assert.deepEqual(verdicts(ends), verdicts(goesOn));
      cycles += ends.records.filter(({ flags }) => flags.includes('cycle')).length;
      await random.close();
    }
    assert.ok(cycles > 10, `${cycles} of 64 end in a cycle`);
  });
});
