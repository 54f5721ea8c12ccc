import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as format from './format.ts';

const plain = (text: string) => text.replace(/[\u202f\u00a0]/g, ' ');

describe('numbers as readers see them', () => {
  it('have the same decimals next to each other, where they are of like size', () => {
    assert.deepEqual(format.formatAlike([0.294, 0.39571, null], 'nat'), ['0.2940\u00a0nat', '0.3957\u00a0nat', '–']);
    assert.deepEqual(format.formatAlike([12, 3], '1'), ['12', '3']);
    assert.deepEqual(format.formatAlike([1e-7, 250.5], '1'), ['1×10⁻⁷', '250.5']);
    assert.deepEqual(format.formatAlike([0.5, 0.25], 'fraction'), ['50.0\u202f%', '25.0\u202f%']);
  });

  it('prints fractions as percent with one decimal, with two close to 0 and 100 %', () => {
    assert.equal(plain(format.formatFraction(0.9391)), '93.9 %');
    assert.equal(plain(format.formatFraction(0.99512)), '99.51 %');
    assert.equal(plain(format.formatFraction(0.00123)), '0.12 %');
    assert.equal(plain(format.formatFraction(1)), '100.0 %');
    assert.equal(plain(format.formatFraction(Number.NaN)), 'NaN');
  });

  it('groups thousands, uses a true minus and loses the sign of a rounded zero', () => {
    assert.equal(format.formatFixed(1234567.891, 1), '1,234,567.9');
    assert.equal(format.formatFixed(-61706, 0), '\u221261,706');
    assert.equal(format.formatFixed(-0.001, 2), '0.00');
    assert.equal(format.formatFixed(123, 2), '123.00');
    assert.equal(format.formatFixed(1234.56789, 5), '1,234.56789');
  });

  it('keeps four significant digits and turns to powers of ten for very small numbers', () => {
    assert.equal(format.formatNumber(2.912745), '2.913');
    assert.equal(format.formatNumber(0.005), '0.005');
    assert.equal(format.formatNumber(12345.678), '12,345.7');
    assert.equal(format.formatNumber(-0.00002), '\u22122×10⁻⁵');
    assert.equal(format.formatNumber(null), '–');
    assert.equal(format.formatNumber(-Infinity), '\u2212∞');
  });

  it('prints durations with their two largest parts', () => {
    const cases: [number, string][] = [
      [840, '840 ms'],
      [12_340, '12.3 s'],
      [59_990, '1 min 00 s'],
      [245_000, '4 min 05 s'],
      [3_599_700, '1 h 00 min'],
      [7_380_000, '2 h 03 min'],
      [273_600_000, '3 d 04 h'],
    ];
    for (const [ms, text] of cases) assert.equal(plain(format.formatDuration(ms)), text);
  });

  it('prints sizes in binary units with three significant digits', () => {
    assert.equal(plain(format.formatBytes(999)), '999 B');
    assert.equal(plain(format.formatBytes(61_706)), '60.3 KiB');
    assert.equal(plain(format.formatBytes(1024 * 1023)), '1.00 MiB');
    assert.equal(plain(format.formatBytes(18_874_368)), '18.0 MiB');
  });

  it('gives an interval the decimals of its value and says the unit once', () => {
    assert.equal(plain(format.formatInterval([0.9866, 0.9908], 'fraction', 0.9889)), '98.7 – 99.1 %');
    assert.equal(plain(format.formatInterval([0.01, 0.014], 'nat', 0.012)), '0.010 – 0.014 nat');
  });

  it('finds the decimals that a column needs', () => {
    assert.equal(format.commonDigits([1, 20, 300]), 0);
    assert.equal(format.commonDigits([0.5, 12.25]), 2);
    assert.equal(format.commonDigits([0.2031, 2.9127]), 3);
    assert.equal(format.commonDigits([0.00001, 20.5]), undefined);
    assert.equal(format.commonPercentDigits([94.17, 100]), 2);
    assert.equal(format.commonPercentDigits([94.1, 100]), 1);
  });

  it('writes times in UTC, to the second or the minute', () => {
    const at = Date.UTC(2026, 10, 22, 10, 4, 20);
    assert.equal(format.formatInstant(at), '2026-11-22 10:04:20 UTC');
    assert.equal(format.formatInstant(at, 'minute'), '2026-11-22 10:04 UTC');
  });

  it('shortens a check sum to twelve digits', () => {
    assert.equal(format.shortSha('0123456789abcdef'.repeat(4)), '0123456789ab…');
  });
});
