import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { floatsOf } from '../base/tensor.ts';
import { bundledModel, openModelFile, type OpenedModel } from '../train/models.ts';
import { drawsOf, type RandomDefence } from './defence.ts';
import { prepareAttack } from './registry.ts';
import { runAttack, type AttackOutcome } from './shell.ts';
import { testDigits, type Labelled } from './testing/teacher.ts';
import { openVictim, type Victim } from './victim.ts';

const session = { device: 'cpu', threads: 1 } as const;
const noise: RandomDefence = { kind: 'noise', deviation: 0.2, looks: 6, seed: 3 };
const shape = [1, 28, 28] as const;
const size = 784;
const count = 8;

let model: OpenedModel;
let plain: Victim;
let digits: Labelled;

before(async () => {
  model = await openModelFile(bundledModel('lenet5-mnist'));
  plain = openVictim(model, { session });
  digits = await testDigits(count);
});
after(() => plain.close());

async function defended<T>(defence: RandomDefence, use: (victim: Victim) => Promise<T>): Promise<T> {
  const victim = openVictim(model, { session, defence });
  try {
    return await use(victim);
  } finally {
    await victim.close();
  }
}

const drawn = (name: 'judge' | 'attack', step: number): Float32Array => floatsOf(drawsOf(noise, shape, name, step, 1));
const noisy = (draws: Float32Array, look: number): Float32Array =>
  digits.images.map((value, i) => value + draws[look * size + (i % size)]!);

async function run(victim: Victim, id: string, options: object, epsilon = 0.15): Promise<AttackOutcome> {
  const steps = runAttack(prepareAttack(id, options), {
    victim,
    ...digits,
    threat: { norm: 'linf', epsilon },
    seed: 0,
  });
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
  }
}

describe('the draws of a random defence', () => {
  it('are the same for a step however steps are cut, and others for the judge', () => {
    assert.deepEqual(floatsOf(drawsOf(noise, shape, 'attack', 4, 3)).slice(noise.looks * size).length, 2 * 6 * size);
    assert.deepEqual(floatsOf(drawsOf(noise, shape, 'attack', 4, 3)).slice(0, 6 * size), drawn('attack', 4));
    assert.notDeepEqual(drawn('attack', 0), drawn('judge', 0));
    assert.notDeepEqual(drawn('attack', 0), drawn('attack', 1));
  });

  it('have the deviation that was asked for, or keep the image inside the frame', () => {
    const draws = drawn('attack', 0);
    const deviation = Math.sqrt(draws.reduce((sum, value) => sum + value * value, 0) / draws.length);
    assert.ok(Math.abs(deviation - 0.2) < 0.01, `${deviation}`);
    const thetas = floatsOf(drawsOf({ kind: 'resize', smallest: 0.7, looks: 50, seed: 0 }, shape, 'judge', 0, 1));
    for (let look = 0; look < 50; look++) {
      const [zoom = 0, , shift = 0] = thetas.subarray(look * 6, look * 6 + 3);
      assert.ok(zoom >= 1 && zoom <= 1 / 0.7 + 1e-6);
      // The image spans −1 to 1 of the input: its edges lie at (±1 − shift) / zoom of the output.
      assert.ok(Math.abs((1 - shift) / zoom) <= 1 + 1e-6 && Math.abs((-1 - shift) / zoom) <= 1 + 1e-6);
    }
  });
});

describe('a model behind a random defence', () => {
  it('answers with the mean probability over its looks', async () => {
    const answers = await defended(noise, (victim) => victim.logits(digits.images));
    const mean = new Float64Array(count * 10);
    for (let look = 0; look < noise.looks; look++) {
      const logits = await plain.logits(noisy(drawn('judge', 0), look));
      for (let i = 0; i < count; i++) {
        const row = logits.subarray(i * 10, i * 10 + 10);
        const top = Math.max(...row);
        const sum = row.reduce((total, value) => total + Math.exp(value - top), 0);
        row.forEach((value, k) => (mean[i * 10 + k]! += Math.exp(value - top) / sum / noise.looks));
      }
    }
    answers.forEach((value, i) => assert.ok(Math.abs(Math.exp(value) - mean[i]!) < 1e-5, `${i}`));
  });

  it('has as its gradient the mean over other draws', async () => {
    const goals = { labels: digits.labels };
    const found = await defended(noise, (victim) => victim.gradient('cross-entropy', digits.images, goals));
    const gradient = new Float64Array(count * size);
    const losses = new Float64Array(count);
    for (let look = 0; look < noise.looks; look++) {
      const one = await plain.gradient('cross-entropy', noisy(drawn('attack', 0), look), goals);
      one.gradient.forEach((value, i) => (gradient[i]! += value / noise.looks));
      one.losses.forEach((value, i) => (losses[i]! += value / noise.looks));
    }
    const largest = gradient.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    found.gradient.forEach((value, i) => assert.ok(Math.abs(value - gradient[i]!) < 1e-4 * largest));
    found.losses.forEach((value, i) => assert.ok(Math.abs(value - losses[i]!) < 1e-4 * (1 + losses[i]!)));
  });

  it('that never shrinks an image is the log-probability of the model itself', async () => {
    const same = await defended({ kind: 'resize', smallest: 1, looks: 3, seed: 0 }, (victim) =>
      victim.logits(digits.images),
    );
    const logits = await plain.logits(digits.images);
    for (let i = 0; i < count; i++) {
      const [a, b] = [same.subarray(i * 10, i * 10 + 10), logits.subarray(i * 10, i * 10 + 10)];
      assert.equal(a.indexOf(Math.max(...a)), b.indexOf(Math.max(...b)));
      // Below 1e-30 a probability is nothing.
      if (b[1]! - Math.max(...b) > -20) assert.ok(Math.abs(a[1]! - a[0]! - (b[1]! - b[0]!)) < 1e-3);
    }
  });

  for (const defence of [noise, { kind: 'resize', smallest: 0.8, looks: 5, seed: 1 }] as const) {
    it(`is attacked by steps that average over new draws: ${defence.kind}`, async () => {
      await defended(defence, async (victim) => {
        for (const [id, options, gradients] of [
          ['pgd', { steps: 12, stepSize: 0.03 }, 12],
          ['apgd-ce', { steps: 12 }, 13],
          ['apgd-dlr', { steps: 12 }, 13],
        ] as const) {
          const first = await run(victim, id, options, 0.3);
          assert.deepEqual(await run(victim, id, options, 0.3), first);
          const answers = await victim.logits(first.images);
          assert.deepEqual(answers, first.logits);
          for (const { gradientCalls, linf, flags } of first.records) {
            assert.equal(gradientCalls, gradients * defence.looks);
            assert.ok(linf <= 0.3 + 1e-6);
            assert.deepEqual(flags, []);
          }
          assert.ok(first.records.filter(({ verdict }) => verdict === 'fooled').length > count / 2, id);
        }
      });
    });
  }

  it('falls to attacks that see the defence at least as often as to images made on the model alone', async () => {
    const blind = await run(plain, 'pgd', { steps: 12, stepSize: 0.03 });
    const seen = await defended(noise, (victim) => run(victim, 'pgd', { steps: 12, stepSize: 0.03 }));
    const unseen = await defended(noise, (victim) => victim.logits(blind.images));
    const fooled = (logits: Float32Array): number =>
      Array.from(digits.labels).filter((label, i) => {
        const row = logits.subarray(i * 10, i * 10 + 10);
        return row.indexOf(Math.max(...row)) !== label;
      }).length;
    assert.ok(fooled(seen.logits) >= fooled(unseen), `${fooled(seen.logits)} against ${fooled(unseen)}`);
  });
});
