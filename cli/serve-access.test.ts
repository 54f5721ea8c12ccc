import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../core/jobs/testing/toy-workspace.ts';
import { createAccess } from './serve-access.ts';
import { sessionFile } from './serve-sessions.ts';

describe('sessions', () => {
  it('outlive the server by a week, tokens do not', (t) => {
    const dir = temporaryFolder(t);
    let atMs = Date.UTC(2026, 10, 22);
    const open = () => createAccess(sessionFile(dir, () => atMs));
    const before = open();
    const unused = before.token();
    const session = before.exchange(before.token()) ?? '';
    const after = open();
    assert.equal(after.admits(`Bearer ${session}`), true);
    assert.equal(after.exchange(unused), undefined);
    atMs += 8 * 24 * 60 * 60_000;
    assert.equal(open().admits(`Bearer ${session}`), false);
  });

  it('are not let in by a damaged or foreign file, nor by what the file says', (t) => {
    const dir = temporaryFolder(t);
    const store = sessionFile(dir, () => 0);
    const access = createAccess(store);
    const session = access.exchange(access.token()) ?? '';
    const [hash] = store.read();
    assert.notEqual(hash, undefined);
    assert.equal(access.admits(`Bearer ${hash}`), false);
    for (const text of ['', '{}', '{"schema":"palimpsest.sessions/1","savedAtMs":0,"sessions":["x"]}']) {
      writeFileSync(join(dir, 'sessions.json'), text);
      assert.equal(createAccess(store).admits(`Bearer ${session}`), false);
    }
  });

  it('are held to a hundred, the oldest goes', () => {
    const access = createAccess();
    const sessions = Array.from({ length: 101 }, () => access.exchange(access.token()) ?? '');
    assert.deepEqual(
      [sessions[0], sessions[1], sessions[100]].map((each) => access.admits(`Bearer ${each}`)),
      [false, true, true],
    );
  });
});
