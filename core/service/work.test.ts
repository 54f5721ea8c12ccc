import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { growsWith, timeOfWork, productOf, repeatsOf, type CostOfPass } from './work.ts';

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
    assert.equal(
      timeOfWork(work, { params: { images: 4, steps: 5 }, data: {}, models: {} }, costOf),
      4 * 5 * 30 + 4 * 2 * 10,
    );
  });

  it('takes an amount that the method computes from its parameters', () => {
    const amount = {
      of: ['attacks'],
      value: ({ attacks }: Readonly<Record<string, unknown>>) => (attacks === 'strong' ? 9 : 1),
    };
    const part = { times: ['images'], amount, costs: [{ model: 'victim', pass: 'forward' as const }] };
    const asked = (attacks: string) =>
      timeOfWork([part], { params: { images: 4, attacks }, models: {}, data: {} }, costOf);
    assert.deepEqual([asked('weak'), asked('strong')], [40, 360]);
    assert.deepEqual(growsWith(part), ['images', 'attacks']);
    assert.equal(repeatsOf(part, { params: { images: 2, attacks: 'strong' }, models: {}, data: {} }), 18);
  });

  it('is not known while a part that is done says nothing of its cost, and is known when it is switched off', () => {
    const work = [
      { times: ['images'], costs: [{ model: 'victim', pass: 'forward' as const }] },
      { times: ['images', 'control'], costs: [{ model: 'other', pass: 'forward' as const }] },
    ];
    assert.equal(timeOfWork(work, { params: { images: 4, control: true }, data: {}, models: {} }, costOf), null);
    assert.equal(timeOfWork(work, { params: { images: 4, control: false }, data: {}, models: {} }, costOf), 40);
    const withData = [{ times: ['images'], data: 'real', costs: [{ model: 'victim', pass: 'forward' as const }] }];
    assert.equal(timeOfWork(withData, { params: { images: 4 }, data: {}, models: {} }, costOf), 0);
    assert.equal(timeOfWork([['images']], { params: { images: 4 }, data: {}, models: {} }, costOf), null);
    assert.equal(timeOfWork(undefined, { params: {}, data: {}, models: {} }, costOf), null);
  });

  it('grows with the images of data sets, is told of their batches, and is left out where there are none', () => {
    const seen: unknown[] = [];
    const work = [
      {
        times: ['epochs', 'data.train'] as const,
        batch: 'batchSize',
        isAlone: true,
        costs: [{ model: 'net', pass: 'forward' as const }],
      },
      { times: ['data.test'] as const, costs: [{ model: 'net', pass: 'forward' as const }] },
    ];
    const amounts = { params: { epochs: 3, batchSize: 64 }, models: {}, data: { train: 100 } };
    const time = timeOfWork(work, amounts, (_, __, manner) => {
      seen.push(manner);
      return 2;
    });
    assert.equal(time, 600);
    assert.deepEqual(seen, [{ batch: 64, isAlone: true }]);
  });
});
