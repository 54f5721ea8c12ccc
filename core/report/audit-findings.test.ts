import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuditData } from './audit.ts';
import { auditFindings } from './audit-findings.ts';

type Model = AuditData['models'][number];

const row = (attack: string, robustAccuracy: number): Model['rows'][number] => ({
  attack,
  title: attack,
  access: 'score',
  isControl: false,
  epsilon: 0.1,
  robustAccuracy,
  interval: [0, 1],
  successRate: null,
  foolingRate: 0,
  medianNorm: null,
  meanQueries: null,
  meanGradientCalls: null,
  attacked: 10,
  transfer: null,
});

const model = (role: string, together: number): Model => ({
  role,
  title: `the ${role}`,
  count: 10,
  cleanAccuracy: 1,
  cleanInterval: [0.7, 1],
  rows: [row('square', 0.5), row('simba', 0.6)],
  worst: [{ epsilon: 0.1, robustAccuracy: together, interval: [0, 1], fallen: [] }],
  together: [{ by: 'asking', epsilon: 0.1, robustAccuracy: together, interval: [0.1, 0.4] }],
});

const audit = (models: readonly Model[]): AuditData => ({
  preset: 'mnist',
  dataTitle: 'digits',
  norm: 'linf',
  epsilons: [0.1],
  survivorsOnly: false,
  goal: 'untargeted',
  seed: 0,
  attacks: ['square', 'simba'].map((id) => ({
    id,
    title: id,
    access: 'score',
    isControl: false,
    options: {},
    forward: 10,
    backward: 0,
  })),
  models: [...models],
  suspicions: [],
  leftOut: [],
  remarks: [],
  defence: '',
  eightBit: null,
  corruptions: null,
  gallery: null,
});

describe('the findings of a robustness audit', () => {
  it('give what all attacks of a kind leave together, not what the strongest of them leaves', () => {
    const [finding] = auditFindings(audit([model('victim', 0.2)]), undefined, undefined);
    assert.equal(finding?.id, 'evasion-black-box');
    assert.equal(finding.evidence.value, 0.2);
    assert.deepEqual(finding.evidence.interval, [0.1, 0.4]);
    assert.match(finding.text, /20\.0 % under every one of these attacks/);
  });

  it('say which model each is about, and what kind it is without figures', () => {
    const found = auditFindings(audit([model('victim', 0.85), model('compared', 0.1)]), undefined, undefined);
    assert.deepEqual(
      found.map(({ model: role, kind, level }) => [role, kind, level]),
      [
        ['compared', 'Evasion by asking the model', 'error'],
        ['victim', 'Evasion by asking the model', 'warning'],
      ],
    );
  });
});
