import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growsWith, operationsOf, productOf, repeatsOf, type CostOfPass } from './work.ts';

const costOf: CostOfPass = (role, pass) => (role === 'victim' ? (pass === 'forward' ? 10 : 30) : null);

describe('the work of a run', () => {
  it('grows with numbers, lengths of lists and switches', () => {
    assert.equal(productOf(['steps', 'epsilons', 'control'], { steps: 5, epsilons: [1, 2, 4], control: true }), 15);
    assert.equal(productOf(['steps', 'control'], { steps: 5, control: false }), 0);
    assert.ok(Number.isNaN(productOf(['name'], { name: 'paper' })));
  });

  it('is the sum over its parts of how often times what once costs', () => {
    const work = [
      { times: ['images', 'steps'], costs: [{ model: 'victim', pass: 'input-gradient' as const }] },
      { times: ['images'], costs: [{ model: 'victim', pass: 'forward' as const, count: 2 }] },
    ];
    assert.equal(operationsOf(work, { params: { images: 4, steps: 5 }, data: {} }, costOf), 4 * 5 * 30 + 4 * 2 * 10);
  });

  it('takes an amount that the method computes from its parameters', () => {
    const amount = {
      of: ['attacks'],
      value: ({ attacks }: Readonly<Record<string, unknown>>) => (attacks === 'strong' ? 9 : 1),
    };
    const part = { times: ['images'], amount, costs: [{ model: 'victim', pass: 'forward' as const }] };
    const asked = (attacks: string) => operationsOf([part], { params: { images: 4, attacks }, data: {} }, costOf);
    assert.deepEqual([asked('weak'), asked('strong')], [40, 360]);
    assert.deepEqual(growsWith(part), ['images', 'attacks']);
    assert.equal(repeatsOf(part, { images: 2, attacks: 'strong' }), 18);
  });

  it('is not known while a part that is done says nothing of its cost, and is known when it is switched off', () => {
    const work = [
      { times: ['images'], costs: [{ model: 'victim', pass: 'forward' as const }] },
      { times: ['images', 'control'], costs: [{ model: 'other', pass: 'forward' as const }] },
    ];
    assert.equal(operationsOf(work, { params: { images: 4, control: true }, data: {} }, costOf), null);
    assert.equal(operationsOf(work, { params: { images: 4, control: false }, data: {} }, costOf), 40);
    const withData = [{ times: ['images'], data: 'real', costs: [{ model: 'victim', pass: 'forward' as const }] }];
    assert.equal(operationsOf(withData, { params: { images: 4 }, data: {} }, costOf), 0);
    assert.equal(operationsOf([['images']], { params: { images: 4 }, data: {} }, costOf), null);
    assert.equal(operationsOf(undefined, { params: {}, data: {} }, costOf), null);
  });
});
