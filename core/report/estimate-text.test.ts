import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimateText, roughBytes, roughDuration, roughRange } from './estimate-text.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');

describe('a guess in words', () => {
  it('has no more digits than it deserves', () => {
    const durations = [900, 1400, 41_300, 59_000, 173_000, 5_400_000, 100_000_000];
    assert.deepEqual(
      durations.map((ms) => plain(roughDuration(ms))),
      ['900 ms', '1.5 s', '41 s', '1 min', '3 min', '1.5 h', '1 d'],
    );
    assert.deepEqual(
      [2048, 8.4e6, 4.23e8, 9.6e8, 2.2e9].map((bytes) => plain(roughBytes(bytes))),
      ['2.00 KiB', '8.5 MB', '420 MB', '1 GB', '2 GB'],
    );
  });

  it('says the range, with the unit once where both ends have it', () => {
    assert.equal(plain(roughRange({ lowMs: 100_000, highMs: 290_000 })), '1.5 to 5 min');
    assert.equal(plain(roughRange({ lowMs: 40_000, highMs: 120_000 })), '40 s to 2 min');
  });

  it('says time, memory, disk and what they are based on, and leaves out what cannot be told', () => {
    const time = { lowMs: 100_000, likelyMs: 173_000, highMs: 290_000 };
    const all = { time, memoryBytes: 9.6e8, diskBytes: 8e6, basis: 'From one run like it here' };
    assert.equal(
      plain(estimateText(all)),
      'About 3 min (1.5 to 5 min), 1 GB of memory, 8 MB of disk. From one run like it here.',
    );
    assert.equal(
      estimateText({ ...all, time: null, memoryBytes: null, diskBytes: null }),
      'From one run like it here.',
    );
  });
});
