import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../jobs/testing/toy-workspace.ts';
import { openSettings } from './settings.ts';

const usual = { threads: null, device: 'auto', places: [], looksAhead: true };

describe('the settings of a workspace', () => {
  it('are kept, each by itself', (t) => {
    const dir = temporaryFolder(t);
    const settings = openSettings(dir);
    assert.deepEqual(settings.get(), usual);
    settings.change({ threads: 3 });
    settings.change({ places: [dir] });
    assert.deepEqual(openSettings(dir).get(), { threads: 3, device: 'auto', places: [dir], looksAhead: true });
    assert.equal(openSettings(dir).change({ threads: null }).threads, null);
  });

  it('take no place that is no folder', (t) => {
    const dir = temporaryFolder(t);
    assert.throws(() => openSettings(dir).change({ places: [join(dir, 'no')] }), { code: 'USAGE' });
    assert.deepEqual(openSettings(dir).get(), usual);
  });

  it('are as usual when their file is damaged', (t) => {
    const dir = temporaryFolder(t);
    for (const text of ['{', '[]', '{"threads":"many"}']) {
      writeFileSync(join(dir, 'settings.json'), text);
      assert.deepEqual(openSettings(dir).get(), usual);
    }
  });
});
