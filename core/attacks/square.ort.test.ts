import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { argmaxRows } from '../metrics/classification.ts';
import { openModel } from '../train/models.ts';
import { prepareAttack } from './registry.ts';
import { runAttack, type AttackOutcome } from './shell.ts';
import { openTeacher, testDigits } from './testing/teacher.ts';
import type { ThreatModel } from './task.ts';
import { openVictim, type Victim } from './victim.ts';

let teacher: Victim;
before(async () => {
  teacher = await openTeacher();
});
after(() => teacher.close());

interface Labelled {
  readonly images: Float32Array;
  readonly labels: Int32Array;
  readonly indices: Int32Array;
}

async function run(victim: Victim, data: Labelled, options: object, threat: ThreatModel): Promise<AttackOutcome> {
  const steps = runAttack(prepareAttack('square', options), { victim, ...data, threat, seed: 4 });
  for (;;) {
    const step = await steps.next();
    if (step.done) return step.value;
  }
}

/** With a random defence each query is a call of the engine: so it is made to think that there is one. */
const byQuery = (victim: Victim): Victim => ({ ...victim, looks: 2 });
const summary = ({ records }: AttackOutcome, looks: number) =>
  records.map(({ verdict, reached, firstSuccessStep, queries }) => ({
    verdict,
    reached,
    firstSuccessStep,
    queries: queries / looks,
  }));

async function agrees(victim: Victim, data: Labelled, options: object, threat: ThreatModel): Promise<AttackOutcome> {
  const [inLoops, each] = [await run(victim, data, options, threat), await run(byQuery(victim), data, options, threat)];
  assert.deepEqual(summary(inLoops, 1), summary(each, 2));
  assert.deepEqual(inLoops.images, each.images);
  return inLoops;
}

describe('the queries of Square, many in one Loop', () => {
  it('find to the bit what they find one by one', async () => {
    const digits = await testDigits(20);
    const found = await agrees(
      teacher,
      digits,
      { queries: 120, restarts: 2, rescalesSchedule: true },
      { norm: 'linf', epsilon: 0.15 },
    );
    const verdicts = found.records.map(({ verdict }) => verdict);
    assert.ok(verdicts.includes('fooled') && verdicts.includes('robust'), 'the batch shrinks and something stands');
  });

  it('find the same in colours, towards wanted classes and off the last row and column', async () => {
    const shape = [3, 7, 6] as const;
    const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', { shape, classes: 4, seed: 2 });
    const victim = openVictim(model, { session: { device: 'cpu', threads: 1 }, bounds: [-1, 2] });
    const images = new Float32Array(9 * 126);
    fillUniform(stream(0, 'images'), images, -1, 2);
    const labels = argmaxRows(await victim.logits(images), 4);
    const data = { images, labels, indices: labels.map((_, i) => i) };
    const targets = labels.map((label) => (label + 1) % 4);
    const found = await agrees(
      victim,
      data,
      { queries: 60, reachesEdges: false },
      { norm: 'linf', epsilon: 0.3, targets },
    );
    assert.ok(found.records.some(({ verdict }) => verdict === 'fooled'));
    const untargeted = await agrees(victim, data, { queries: 40 }, { norm: 'linf', epsilon: 0.05 });
    for (const { linf } of untargeted.records) assert.ok(linf <= 0.05 + 1e-6);
    await victim.close();
  });
});
