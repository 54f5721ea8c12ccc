import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ensemble } from './ensembles.ts';

const parts = (...asked: Parameters<typeof ensemble>): unknown[] =>
  ensemble(...asked).attacks.map(({ declaration, options }) => [declaration.id, options]);

describe('an ensemble of attacks', () => {
  it('is AutoAttack as published', () => {
    const apgd = { steps: 100, restarts: 1, rho: 0.75 };
    const fab = { steps: 100, restarts: 1, alphaMax: 0.1, eta: 1.05, beta: 0.9 };
    const square = { queries: 5000, firstShare: 0.8, restarts: 1, rescalesSchedule: false, reachesEdges: true };
    const standard = [
      ['apgd-ce', apgd],
      ['apgd-t', { ...apgd, targetClasses: 9 }],
      ['fab-t', { ...fab, targetClasses: 9 }],
      ['square', square],
    ];
    assert.deepEqual(parts('standard', 'linf', 10), standard);
    assert.deepEqual(ensemble('standard', 'l2', 1000).reasons, []);
    assert.deepEqual(parts('plus', 'l2', 10), [
      ['apgd-ce', { ...apgd, restarts: 5 }],
      ['apgd-dlr', { ...apgd, restarts: 5 }],
      ['fab', { ...fab, restarts: 5 }],
      standard[3],
      standard[1],
      standard[2],
    ]);
    assert.deepEqual(parts('rand', 'linf', 10), [
      ['apgd-ce', apgd],
      ['apgd-dlr', apgd],
    ]);
  });

  it('for random models averages gradients over 20 looks, and says where it does not', () => {
    const reasons = (name: 'rand' | 'standard', looks?: number): readonly string[] =>
      ensemble(name, 'linf', 10, looks).reasons;
    assert.deepEqual(reasons('rand', 20), []);
    assert.match(reasons('rand', 5).join(), /averages over 5 looks instead of 20/);
    assert.match(reasons('rand').join(), /Nothing is random here/);
    assert.match(reasons('standard', 20).join(), /the published ensemble for it is rand/);
  });

  it('says what it leaves away for want of classes', () => {
    const { attacks, reasons } = ensemble('standard', 'linf', 3);
    assert.deepEqual(
      attacks.map(({ declaration }) => declaration.id),
      ['apgd-ce', 'fab-t', 'square'],
    );
    assert.match(reasons.join(' '), /only 2 can be targets.*APGD-T is left away: its loss needs 4 classes/);
  });
});
