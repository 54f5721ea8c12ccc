import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, fillUniform, stream } from '../base/rng.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import { openModel } from '../train/models.ts';
import type { Objective } from './objectives.ts';
import { rowOf } from './task.ts';
import { prepareAttack } from './registry.ts';
import { runAttack } from './shell.ts';
import { openVictim, type Victim } from './victim.ts';

const classes = 6;
const shape = [1, 6, 6] as const;
const size = 36;
const session = { device: 'cpu', threads: 1 } as const;

async function openMlp(): Promise<Victim> {
  const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', { shape, classes, seed: 3 });
  return openVictim(model, { session });
}

/** The objectives written out, from logits, label and target. */
const byHand: Readonly<Record<Objective, (z: number[], y: number, t: number) => number>> = {
  'cross-entropy': (z, y) => Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)) - z[y]!,
  'cross-entropy-targeted': (z, _, t) => z[t]! - Math.log(z.reduce((sum, value) => sum + Math.exp(value), 0)),
  margin: (z, y) => Math.max(...z.filter((__, k) => k !== y)) - z[y]!,
  'margin-targeted': (z, _, t) => z[t]! - Math.max(...z.filter((__, k) => k !== t)),
  dlr: (z, y) => {
    const sorted = z.toSorted((a, b) => b - a);
    return -(z[y]! - Math.max(...z.filter((__, k) => k !== y))) / (sorted[0]! - sorted[2]! + 1e-12);
  },
  'dlr-targeted': (z, y, t) => {
    const sorted = z.toSorted((a, b) => b - a);
    return -(z[y]! - z[t]!) / (sorted[0]! - 0.5 * (sorted[2]! + sorted[3]!) + 1e-12);
  },
};

describe('what an attack makes larger', () => {
  for (const [name, formula] of Object.entries(byHand)) {
    it(`has the value of its formula, and the gradient of its differences: ${name}`, async () => {
      const victim = await openMlp();
      const count = 5;
      const images = new Float32Array(count * size);
      fillUniform(stream(1, name), images);
      const goals = { labels: [0, 1, 2, 3, 4], targets: [5, 4, 0, 1, 2] };
      const objective = Object.keys(byHand).find((key): key is Objective => key === name);
      assert.ok(objective);
      const { logits, losses, gradient } = await victim.gradient(objective, images, goals);
      const direction = new Float32Array(images.length);
      fillNormal(stream(2, name), direction);
      const step = 1e-3;
      const lossesAt = async (sign: number): Promise<Float32Array> => {
        const moved = images.map((value, i) => value + sign * step * direction[i]!);
        return (await victim.gradient(objective, moved, goals)).losses;
      };
      const [after, before] = [await lossesAt(1), await lossesAt(-1)];
      let agreeing = 0;
      for (let i = 0; i < count; i++) {
        const z = Array.from(rowOf(logits, classes, i));
        assert.ok(Math.abs(losses[i]! - formula(z, goals.labels[i]!, goals.targets[i]!)) < 1e-4);
        const slope = rowOf(gradient, size, i).reduce((sum, g, j) => sum + g * direction[i * size + j]!, 0);
        const difference = (after[i]! - before[i]!) / (2 * step);
        agreeing += Number(Math.abs(slope - difference) < 0.01 * (1 + Math.abs(slope)));
      }
      // One image may lie at a kink of the network.
      assert.ok(agreeing >= count - 1, `${agreeing} of ${count} agree`);
      await victim.close();
    });
  }

  it('does not depend on how many images are asked for at once', async () => {
    const victim = await openMlp();
    const images = new Float32Array(75 * size);
    fillUniform(stream(4, 'many'), images);
    const labels = Array.from({ length: 75 }, (_, i) => i % classes);
    const all = await victim.gradient('dlr', images, { labels });
    const few = await victim.gradient('dlr', images.slice(70 * size, 73 * size), { labels: labels.slice(70, 73) });
    few.gradient.forEach((value, i) => assert.ok(Math.abs(value - all.gradient[70 * size + i]!) < 1e-5));
    const cotangents = new Float32Array(75 * classes);
    labels.forEach((label, i) => (cotangents[i * classes + label] = 1));
    const { gradient } = await victim.vjp(images, cotangents);
    const other = await victim.vjp(
      images,
      cotangents.map((value) => 2 * value),
    );
    gradient.forEach((value, i) => assert.ok(Math.abs(2 * value - other.gradient[i]!) < 1e-5));
    await victim.close();
  });
});

/** Two classes: a score that `shape` makes of the brightest pixel, and a threshold. */
function oddModel(
  score: (g: GraphBuilder, sum: ReturnType<GraphBuilder['input']>) => ReturnType<GraphBuilder['input']>,
): Victim {
  const g = new GraphBuilder();
  const images = g.input('images', 'float32', [1, ...shape], ['batch', ...shape]);
  const sum = g.reduceSum(g.reshape(images, [-1, size]), [1], true);
  g.output('logits', g.concat([g.add(g.mul(sum, 0), 1), score(g, sum)], 1));
  const model = { title: 'odd', graph: g.build('odd'), inputName: 'images', logitsName: 'logits', shape, classes: 2 };
  return openVictim(model, { session });
}

describe('gradients that are of no use', () => {
  const flagsUnder = async (victim: Victim, attackId: string): Promise<string[]> => {
    const input = { victim, images: new Float32Array(2 * size).fill(0.5), labels: [0, 0], indices: [0, 1], seed: 0 };
    const attack = prepareAttack(attackId, { steps: 4 });
    const steps = runAttack(attack, { ...input, threat: { norm: 'linf', epsilon: 0.1 } });
    for (;;) {
      const step = await steps.next();
      if (!step.done) continue;
      await victim.close();
      assert.ok(step.value.images.every(Number.isFinite));
      assert.deepEqual(
        step.value.records.map(({ verdict }) => verdict),
        ['robust', 'robust'],
      );
      return [...(step.value.records[0]?.flags ?? [])];
    }
  };

  for (const id of ['pgd', 'apgd-ce', 'bim']) {
    it(`are flagged where they are no numbers: ${id}`, async () => {
      // The root of what Relu has cut off: infinity times zero.
      const victim = oddModel((g, sum) => g.sqrt(g.relu(g.sub(sum, 1000))));
      assert.ok((await flagsUnder(victim, id)).includes('nan-gradient'));
    });

    it(`are flagged where they are zero: ${id}`, async () => {
      const victim = oddModel((g, sum) => g.relu(g.sub(sum, 1000)));
      assert.ok((await flagsUnder(victim, id)).includes('zero-gradient'));
    });
  }

  for (const id of ['bim', 'mi-fgsm', 'ni-fgsm']) {
    it(`are flagged where they are infinite: ${id}`, async () => {
      // A root whose slope at the clean images has no bound.
      const victim = oddModel((g, sum) => g.sqrt(g.relu(g.sub(sum, size / 2))));
      assert.ok((await flagsUnder(victim, id)).includes('nan-gradient'));
    });
  }
});
