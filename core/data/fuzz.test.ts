import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { temporaryFolder, writeFiles } from './testing/fixtures.ts';
import { dataSeeds, tryMutant } from './testing/fuzz.ts';

// The long run is bench/fuzz-data.ts.
describe('mutated data files', async () => {
  for (const seed of await dataSeeds()) {
    it(`are refused with a reason or read, never anything else: ${seed.title}`, async (t) => {
      const folder = await temporaryFolder(t);
      await writeFiles(folder, seed.beside);
      const kinds = new Set<string>();
      for (let index = 0; index < 60; index++) {
        const verdict = await tryMutant(seed, index, folder);
        if (verdict.kind === 'failed') {
          assert.fail(`mutant ${index} of ${seed.title}: ${String(Object(verdict.error).stack ?? verdict.error)}`);
        }
        kinds.add(verdict.kind);
      }
      assert.ok(kinds.has('refused'));
    });
  }
});
