import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attack } from '../../attacks/attack.ts';
import { prepareAttack } from '../../attacks/registry.ts';
import type { SampleRecord } from '../../attacks/shell.ts';
import { recordFlips } from '../../metrics/severity/flips.ts';
import type { Audit } from './audit.ts';
import { partKey, type GroupJob, type GroupPlan, type Parts } from './groups.ts';
import { openLiveTables } from './live-tables.ts';

const attacks: readonly Attack[] = ['fgsm', 'pgd', 'noise'].map((id) => prepareAttack(id, {}));
const plan: GroupPlan = {
  attacks,
  epsilons: [0.1, 0.2],
  norm: 'linf',
  survivorsOnly: false,
  seed: 0,
  temperature: 1,
  spill: undefined,
};
const victim = { role: 'victim', model: { title: 'net' } } as unknown as Audit['models'][number];
const jobs = [0, 1].map((group): GroupJob => ({
  role: 'victim',
  group,
  images: async () => new Float32Array(0),
  clean: new Float32Array(4),
  labels: new Int32Array(2),
  indices: new Int32Array(2),
  targets: undefined,
}));

/** Verdicts of both images of a group. */
function finish(
  parts: Parts,
  group: number,
  attackId: string,
  epsilon: number,
  verdicts: readonly SampleRecord['verdict'][],
): void {
  const records = verdicts.map((verdict) => ({ verdict }) as unknown as SampleRecord);
  const isControl = attackId === 'noise';
  const logits = new Float32Array(4);
  const flips = recordFlips({ clean: logits, attacked: logits, classes: 2 });
  const empty = { flips, keptRows: new Int32Array(0), place: undefined };
  parts.set(partKey('victim', group, attackId, epsilon), { attackId, isControl, epsilon, records, ...empty });
}

describe('the live table of an audit', () => {
  it('moves a cell group by group in their order, and the worst case when all attacks up to its epsilon are through', () => {
    const parts: Parts = new Map();
    const live = openLiveTables({ models: [victim], jobs, plan, parts });
    const news = (): string[] =>
      [...live.advance()].flatMap((event) =>
        event.type === 'metric' ? [`${event.name.replace('accuracy.', '')}: ${event.value} of ${event.step}`] : [],
      );
    assert.deepEqual(
      live.tables[0]?.rows.map(({ kind }) => kind),
      ['usual', 'usual', 'apart', 'summary', 'apart'],
    );
    finish(parts, 1, 'fgsm', 0.1, ['robust', 'robust']);
    assert.deepEqual(news(), []);
    finish(parts, 0, 'fgsm', 0.1, ['already-wrong', 'robust']);
    assert.deepEqual(news(), [
      'FGSM, 0.1: 0.5 of 2',
      'FGSM, 0.1: 0.75 of 4',
      ...['0.1', '0.2'].flatMap((epsilon) => [`No attack, ${epsilon}: 0.5 of 2`, `No attack, ${epsilon}: 0.75 of 4`]),
    ]);
    finish(parts, 0, 'pgd', 0.1, ['already-wrong', 'fooled']);
    finish(parts, 0, 'fgsm', 0.2, ['already-wrong', 'robust']);
    finish(parts, 0, 'noise', 0.2, ['already-wrong', 'robust']);
    assert.deepEqual(news(), [
      'PGD, 0.1: 0 of 2',
      'Worst case, 0.1: 0 of 2',
      'FGSM, 0.2: 0.5 of 2',
      'Random noise, 0.2: 0.5 of 2',
    ]);
    // What fell at a smaller epsilon stays fallen.
    finish(parts, 0, 'pgd', 0.2, ['already-wrong', 'robust']);
    assert.deepEqual(news(), ['PGD, 0.2: 0.5 of 2', 'Worst case, 0.2: 0 of 2']);
    assert.deepEqual(news(), []);
  });
});
