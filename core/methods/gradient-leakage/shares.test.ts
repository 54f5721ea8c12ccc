import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fractionOf } from './shares.ts';
import { spec } from './spec.ts';

const phases = ['training', 'trade-off', 'labels', 'attacks'] as const;

function ends(given: Record<string, unknown>, publicCount?: number): readonly number[] {
  const params = spec.params.parse(given);
  const inputs = publicCount === undefined ? {} : { publics: { count: publicCount } };
  const sized = { ctx: { params, device: 'cpu' as const, threads: 2 }, inputs };
  phases
    .slice(1)
    .forEach((phase, i) => assert.equal(fractionOf(sized, phase, 0), fractionOf(sized, phases[i] ?? phase, 1)));
  return phases.map((phase) => fractionOf(sized, phase, 1));
}

it('the phases of a run follow each other without a gap, and end at its end', () => {
  const [training = 0, tradeoff = 0, labels = 0, attacks = 0] = ends(
    { trainEpochs: 1, tradeoffSteps: 100, defences: ['gaussian:0.001'] },
    1000,
  );
  assert.ok(0 < training && training < tradeoff && tradeoff < labels && labels < attacks);
  assert.equal(attacks, 1);
});

it('a phase that is left out takes nothing', () => {
  assert.deepEqual(ends({ trainEpochs: 0, tradeoffSteps: 0, labelBatches: 0 }), [0, 0, 0, 1]);
});

it('a phase weighs what it costs: twice the steps of training twice as much against the attacks', () => {
  const share = (tradeoffSteps: number): number => {
    const [, tradeoff = 0, labels = 0] = ends({ tradeoffSteps, labelBatches: 0 });
    return tradeoff / (1 - labels);
  };
  assert.ok(Math.abs(share(400) / share(200) - 2) < 1e-9);
});
