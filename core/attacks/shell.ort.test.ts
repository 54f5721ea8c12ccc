import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { implement, type Attack } from './attack.ts';
import { attackCatalogue } from './catalogue.ts';
import { fgsm } from './catalogue-steps.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms } from './perturbation.ts';
import { implementations, prepareAttack } from './registry.ts';
import { runAttack, type AttackOutcome, type ShellInput } from './shell.ts';
import { keepSuccess } from './task.ts';
import { openTeacher, testDigits, type Labelled } from './testing/teacher.ts';
import type { Victim } from './victim.ts';

let victim: Victim;
let digits: Labelled;

before(async () => {
  [victim, digits] = [await openTeacher(), await testDigits(24)];
});
after(() => victim.close());

async function run(attack: Attack, input: Partial<ShellInput> = {}): Promise<AttackOutcome> {
  const steps = runAttack(attack, { victim, ...digits, threat: { norm: 'linf', epsilon: 0.2 }, seed: 1, ...input });
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
  }
}

const refusal = (input: Partial<ShellInput>, pattern: RegExp): Promise<void> =>
  assert.rejects(run(prepareAttack('fgsm'), input), (thrown: unknown) => {
    assert.ok(thrown instanceof WorkbenchError);
    assert.ok(['PARAM_INVALID', 'DATA_UNSUITABLE'].includes(thrown.code));
    assert.match(thrown.message, pattern);
    return true;
  });

/** Paints each image white and claims success for it. */
const painter = implement(fgsm, async function* (task) {
  for (let i = 0; i < task.count; i++) keepSuccess(task, i, new Float32Array(task.victim.size).fill(9), 0);
  yield { done: 1, total: 1 };
}).prepare({});

describe('the shell around an attack', () => {
  it('clips what comes back to the ball and the box', async () => {
    const { images, records } = await run(painter);
    for (const [i, record] of records.entries()) {
      const image = images.subarray(i * 784, i * 784 + 784);
      assert.ok(image.every((value) => value >= 0 && value <= 1));
      assert.deepEqual(perturbationNorms(image, digits.images.subarray(i * 784, i * 784 + 784)).linf, record.linf);
      assert.ok(record.linf <= 0.2 + 1e-6);
    }
  });

  it('counts a success only if the model confirms it on the image that is returned', async () => {
    const { images, records } = await run(painter, { threat: { norm: 'linf', epsilon: 0.001 } });
    const logits = await victim.logits(images);
    const claimed = records.filter((record) => record.flags.includes('unconfirmed'));
    assert.ok(claimed.length > 20);
    for (const [i, record] of records.entries()) {
      assert.equal(record.verdict === 'fooled', topClass(logits, i, 10) !== digits.labels[i]);
    }
  });

  it('puts the clean image in the place of one that is no image', async () => {
    for (const value of [Number.NaN, Infinity]) {
      const breaker = implement(fgsm, async function* (task) {
        for (let i = 0; i < task.count; i++) {
          const image = Float32Array.from(task.images.subarray(i * 784, i * 784 + 784));
          image[100 + i] = value;
          keepSuccess(task, i, image, 0);
        }
        yield { done: 1, total: 1 };
      }).prepare({});
      const { images, records, logits, cleanLogits } = await run(breaker);
      assert.deepEqual(images, digits.images);
      assert.deepEqual(logits, cleanLogits);
      for (const { verdict, linf, flags } of records) {
        assert.deepEqual([verdict, linf, flags], ['robust', 0, ['nan-gradient', 'unconfirmed']]);
      }
    }
  });

  it('leaves images alone that the model gets wrong or that have fallen before', async () => {
    const labels = Int32Array.from(digits.labels);
    labels[3] = (labels[3]! + 1) % 10;
    const isFallen = new Uint8Array(24);
    isFallen[5] = 1;
    const { images, records } = await run(painter, { labels, isFallen });
    assert.deepEqual([records[3]?.verdict, records[5]?.verdict], ['already-wrong', 'skipped']);
    for (const i of [3, 5]) {
      assert.equal(records[i]?.linf, 0);
      assert.equal(records[i]?.queries, 0);
      assert.deepEqual(images.subarray(i * 784, i * 784 + 784), digits.images.subarray(i * 784, i * 784 + 784));
    }
  });

  it('gives the same for an image whatever is attacked beside it', async () => {
    const attack = prepareAttack('pgd', { steps: 5 });
    const all = await run(attack);
    const some = await run(attack, {
      images: digits.images.slice(16 * 784),
      labels: digits.labels.slice(16),
      indices: digits.indices.slice(16),
    });
    const verdicts = ({ records }: AttackOutcome): unknown =>
      records.map(({ index, verdict, reached }) => [index, verdict, reached]);
    assert.deepEqual(verdicts(some), (verdicts(all) as unknown[]).slice(16));
  });

  it('refuses what cannot be attacked, and says why', async () => {
    await refusal({ threat: { norm: 'linf', epsilon: 0 } }, /expected epsilon above 0, got 0/);
    await refusal({ threat: { norm: 'linf', epsilon: 8 } }, /expected epsilon of at most 1/);
    await refusal({ threat: { norm: 'linf', epsilon: Infinity } }, /expected epsilon of at most 1/);
    await refusal({ threat: { norm: 'l0', epsilon: 5 } }, /expected a norm of linf, l2, got l0/);
    await refusal({ labels: new Int32Array(24).fill(10) }, /expected a class from 0 to 9, got 10/);
    await refusal({ images: digits.images.map((x) => x * 255) }, /expected pixels from 0 to 1, got/);
    await refusal(
      { threat: { norm: 'linf', epsilon: 0.1, targets: digits.labels } },
      /the target of image 0 is its own class 7/,
    );
  });
});

/** Short runs: what is asked of every attack holds after a few steps. */
const short: Readonly<Record<string, object>> = {
  'apgd-t': { steps: 10 },
  fab: { steps: 3 },
  'fab-t': { steps: 5, restarts: 2 },
  square: { queries: 40 },
  'carlini-wagner': { rounds: 2, steps: 20 },
  ead: { rounds: 2, steps: 20 },
  ddn: { steps: 20 },
  fmn: { steps: 20 },
  simba: { queries: 60 },
  boundary: { steps: 30 },
  'hop-skip-jump': { iterations: 2, firstLooks: 30 },
  transfer: { method: 'pgd', steps: 3 },
};

describe('every attack', () => {
  it('is declared and implemented once', () => {
    const ids = implementations.map(({ declaration }) => declaration.id);
    assert.deepEqual(ids.toSorted(), attackCatalogue.map(({ id }) => id).toSorted());
    assert.equal(new Set(ids).size, ids.length);
  });

  for (const { declaration } of implementations) {
    for (const norm of declaration.norms) {
      const epsilon = { linf: 0.15, l2: 1.5, l1: 15, l0: 30 }[norm];
      it(`${declaration.title} stays in the ${norm} ball and the box, and does the same twice`, async () => {
        const input = {
          images: digits.images.slice(0, 4 * 784),
          labels: digits.labels.slice(0, 4),
          indices: digits.indices.slice(0, 4),
          threat: { norm, epsilon },
          sources: [victim],
        };
        const attack = prepareAttack(declaration.id, short[declaration.id]);
        const [first, second] = [await run(attack, input), await run(attack, input)];
        assert.deepEqual(first, second);
        for (const record of first.records) assert.ok(record[norm] <= epsilon + 1e-6, `${record[norm]}`);
        assert.ok(first.images.every((value) => value >= 0 && value <= 1));
      });
    }
  }
});
