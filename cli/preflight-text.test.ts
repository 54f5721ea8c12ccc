import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { preflightText } from './preflight-text.ts';

describe('a look ahead on the command line', () => {
  it('says each finding with what was measured, from where on it matters and what to do', () => {
    const text = preflightText({
      facts: [['Network', 'lenet-zhu']],
      checks: [
        { isGood: true, finding: 'No gradient of 3 vanished.', measured: '', threshold: '', advice: '' },
        {
          isGood: false,
          finding: 'A batch is large.',
          measured: '16 images',
          threshold: 'more than 8',
          advice: 'Take 8.',
        },
      ],
      likelyMs: 120_000,
    });
    const expected = [
      'Network  lenet-zhu',
      'Attacks  about 2 min',
      '',
      'ok: No gradient of 3 vanished.',
      'warning: A batch is large.',
      '    measured: 16 images',
      '    matters from: more than 8',
      '    hint: Take 8.',
    ];
    assert.deepEqual(text.replaceAll('\u00a0', ' ').trimEnd().split('\n'), expected);
  });
});
