import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logTable, pairedText, readLog } from './leakage-summary.ts';

const line = (attack: string, index: number, mse: number | null, end = 'converged'): string =>
  JSON.stringify({
    attack,
    most: 300,
    index,
    isLabelRight: index !== 1,
    mse,
    distance: 1e-7,
    end,
    steps: 10,
    evaluations: 200,
  });

describe('the log of a long run', () => {
  const text = [
    line('dlg', 1, 0.5, 'stalled'),
    line('dlg', 0, 2e-3),
    line('dlg', 2, null, 'diverged'),
    line('idlg', 0, 1e-5),
    line('idlg', 1, 1e-5),
    line('dlg', 1, 1e-6),
    '',
  ].join('\n');
  const logs = readLog(text);

  it('is told by attack and image, of an image that was attacked twice the last', () => {
    assert.deepEqual(
      logs.map(({ attack, most, runs }) => [attack, most, runs.map(({ index }) => index)]),
      [
        ['dlg', 300, [0, 1, 2]],
        ['idlg', 300, [0, 1]],
      ],
    );
    assert.equal(logs[0]?.runs[1]?.mse, 1e-6);
  });
  it('counts what failed as not recovered, with Wilson intervals beside the published figures', () => {
    const table = logTable(logs);
    assert.match(table, /\| MSE ≤ 0.01 \| 66\.7 % \(20\.8–93\.9\) \| 76 % \| 100\.0 % \(34\.2–100\.0\) \| 89 % \|/);
    assert.match(table, /\| MSE ≤ 0.001 \| 33\.3 % .* \| 76 % \|/);
    assert.match(table, /\| Ended: diverged \| 33\.3 %/);
    assert.match(table, /\| Without a finite error \| 1 \| – \| 0 \| – \|/);
    assert.match(table, /\| Right label \| 66\.7 %/);
  });
  it('holds the two attacks against each other on the same images', () => {
    const [dlg, idlg] = logs;
    assert.ok(dlg && idlg);
    assert.equal(
      pairedText(dlg, idlg),
      'Of 2 images in both, MSE ≤ 0.01: 2 by dlg and idlg, 0 by dlg alone, 0 by idlg alone, 0 by neither.',
    );
  });
  it('is refused where a line is something else', () => {
    assert.throws(() => readLog('{"attack":"fgsm"}'));
  });
});
