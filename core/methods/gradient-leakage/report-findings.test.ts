import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AttacksData, DefenceFigures, LabelTableData } from './report-data.ts';
import { findingsOf, type FindingInputs } from './report-findings.ts';

const nothing: FindingInputs = {
  attacks: undefined,
  figures: [],
  closed: undefined,
  labels: undefined,
  file: undefined,
  closedFile: undefined,
  params: { steps: 300, restarts: 1, seed: 4 },
};

const figures = (title: string, isKnown: boolean): DefenceFigures => ({
  title,
  noise: 0,
  success: { count: 1, of: 10, share: 0.1, interval: [0, 0.4] },
  curve: [],
  isKnown,
  labelAccuracy: null,
  identified: null,
  psnrDb: null,
  ssim: null,
});

const labelTable = (overlap: number, guess: number): LabelTableData => ({
  batches: 20,
  rows: [
    {
      network: 'fresh',
      batchSize: 32,
      kind: 'as they come',
      guess,
      rules: [{ rule: 'L4', exact: 0, answered: 20, overlap, note: '' }],
    },
  ],
});

describe('the findings of a leakage audit', () => {
  it('say that the attacker knew a defence only where he did', () => {
    const attacks: AttacksData = { attack: 'dlg', batchSize: 1, figures: [], units: [], galleryCount: 0, history: 2 };
    const texts = (isKnown: boolean): string =>
      findingsOf({ ...nothing, attacks, figures: [figures('none', false), figures('noise', isKnown)] })
        .map(({ text }) => text)
        .join('\n');
    assert.match(texts(true), /under noise\. The attacker knew the defence/);
    assert.doesNotMatch(texts(false), /The attacker knew/);
    assert.match(texts(false), /somebody who knows it may do better/);
  });

  it('count labels only beyond what an even guess names', () => {
    const level = (overlap: number, guess: number): string | undefined =>
      findingsOf({ ...nothing, labels: labelTable(overlap, guess) })[0]?.level;
    assert.equal(level(0.8, 0.79), undefined);
    assert.equal(level(0.85, 0.79), 'note');
    assert.equal(level(0.98, 0.79), 'warning');
  });
});
