import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readModel } from './read.ts';
import { judge, mutantMaker } from './testing/fuzz.ts';
import { fuzzSeeds } from './testing/fuzz/seeds.ts';
import { writeTree } from './testing/fuzz/wire-tree.ts';

function isReadable(bytes: Uint8Array): boolean {
  try {
    readModel(bytes);
    return true;
  } catch {
    return false;
  }
}

// The long run is bench/fuzz-onnx.ts.
describe('mutated models', () => {
  const seeds = fuzzSeeds();

  it('start from models that are sound, and are the same when nothing is changed', () => {
    const all = [...seeds.whole, ...seeds.operators];
    for (const { bytes, fields } of all) assert.deepEqual(Buffer.from(writeTree(fields)), Buffer.from(bytes));
    const refused = all.filter(({ bytes }) => judge(bytes).kind === 'refused' && !isReadable(bytes));
    assert.equal(refused.length, 1, 'only the one with data in another file');
  });

  it('are refused with a reason or read, never anything else', () => {
    const make = mutantMaker(2026, seeds);
    const reasons = new Set<string>();
    for (let index = 0; index < 3000; index++) {
      const bytes = make(index);
      const verdict = judge(bytes);
      if (verdict.kind === 'failed') {
        assert.fail(`mutant ${index} of seed 2026: ${String(Object(verdict.error).stack ?? verdict.error)}`);
      }
      reasons.add(verdict.kind === 'refused' ? verdict.by : verdict.kind);
    }
    assert.ok(reasons.has('read') && reasons.size > 20, [...reasons].join(', '));
  });
});
