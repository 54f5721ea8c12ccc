import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import type { Norm } from './catalogue-kinds.ts';
import { prepareAttack } from './registry.ts';
import { runAttack, type SampleRecord } from './shell.ts';
import { openTeacher, testDigits, type Labelled } from './testing/teacher.ts';
import type { Victim } from './victim.ts';

// Made by bench/reference/attacks.py verdicts, from the starts that the streams of this project draw.
const Reference = z.object({
  count: z.int(),
  right: z.string(),
  fooled: z.record(z.string(), z.string()),
  minimal: z.record(z.string(), z.object({ count: z.int(), fooled: z.int(), medianL2: z.number() })),
});
const reference = Reference.parse(
  JSON.parse(readFileSync(new URL('./fixtures/torch-verdicts.json', import.meta.url), 'utf8')),
);

let victim: Victim;
let digits: Labelled;

before(async () => {
  [victim, digits] = [await openTeacher(), await testDigits(reference.count)];
});
after(() => victim.close());

const options: Readonly<Record<string, object>> = {
  'pgd linf': { stepSize: 0.01 },
  'pgd l2': { stepSize: 0.15 },
  'apgd-t linf': { steps: 15 },
  'carlini-wagner l2': { rounds: 4, steps: 60 },
};

async function recordsOf(
  id: string,
  norm: Norm,
  epsilon: number,
  count = reference.count,
): Promise<readonly SampleRecord[]> {
  const attack = prepareAttack(id, options[`${id} ${norm}`]);
  const images = digits.images.slice(0, count * victim.size);
  const labels = digits.labels.slice(0, count);
  const steps = runAttack(attack, {
    victim,
    images,
    labels,
    indices: digits.indices.slice(0, count),
    threat: { norm, epsilon },
    seed: 0,
  });
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value.records;
  }
}

describe('verdicts on images of MNIST', () => {
  for (const [name, verdicts] of Object.entries(reference.fooled)) {
    it(`are those of PyTorch from the same start, on 99 of 100: ${name}`, async () => {
      const [id = '', norm = 'linf', epsilon] = name.split(' ');
      assert.ok(norm === 'linf' || norm === 'l2');
      const records = await recordsOf(id, norm, Number(epsilon));
      const ours = records.map(({ verdict }) => (verdict === 'fooled' ? '1' : '0'));
      const differing = ours.filter((verdict, i) => verdict !== verdicts[i]).length;
      assert.ok(differing <= reference.count / 100, `${differing} differ:\n${ours.join('')}\n${verdicts}`);
    });
  }

  for (const [id, { count, fooled, medianL2 }] of Object.entries(reference.minimal)) {
    it(`need no larger perturbations than PyTorch finds: ${id}`, async () => {
      const records = await recordsOf(id, 'l2', Infinity, count);
      const sizes = records.filter(({ verdict }) => verdict === 'fooled').map(({ l2 }) => l2);
      assert.ok(sizes.length >= fooled, `${sizes.length} fooled, expected ${fooled}`);
      const median = sizes.toSorted((a, b) => a - b)[(sizes.length - 1) >> 1]!;
      assert.ok(median <= 1.05 * medianL2, `median ${median}, expected at most 5 % above ${medianL2}`);
    });
  }
});
