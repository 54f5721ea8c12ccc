import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { migrate, migrations, schemaVersion } from './migrate.ts';
import { openWorkspace, readWorkspace } from './workspace.ts';

const memory = (): Database.Database => new Database(':memory:');
const tablesOf = (db: Database.Database): unknown[] =>
  db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all();

describe('migrations', () => {
  it('make strict tables and are numbered without gaps', () => {
    const db = memory();
    migrate(db);
    assert.equal(schemaVersion(db), migrations.length);
    const strict = db.prepare(
      "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'",
    );
    for (const table of strict.all()) assert.equal(Reflect.get(Object(table), 'strict'), 1);
    assert.throws(() => migrate(memory(), [{ version: 2, sql: '' }]), { message: /migration 1 .* numbered 2/ });
  });

  it('run once each, only those that are missing', () => {
    const db = memory();
    const first = { version: 1, sql: 'CREATE TABLE a (x INTEGER) STRICT' };
    migrate(db, [first]);
    migrate(db, [first, { version: 2, sql: 'CREATE TABLE b (x INTEGER) STRICT' }]);
    assert.deepEqual(tablesOf(db), ['a', 'b']);
  });

  it('drop the progress of jobs that have finished but for the last of each phase', () => {
    const db = memory();
    migrate(db, migrations.slice(0, 4));
    db.exec(`INSERT INTO runs (run_id, state, method_id, method_version, request, created_at_ms) VALUES ('r', 'running', 'm', 1, '{}', 0);
      INSERT INTO jobs (job_id, run_id, ordinal, state, created_at_ms, finished_at_ms) VALUES ('r.1', 'r', 1, 'interrupted', 0, 5), ('r.2', 'r', 2, 'running', 0, NULL)`);
    const add = db.prepare('INSERT INTO events (job_id, seq, type, body) VALUES (?, ?, ?, ?)');
    for (const job of ['r.1', 'r.2']) {
      ['a', 'a', 'b', 'b', 'b'].forEach((phase, seq) => add.run(job, seq, 'progress', JSON.stringify({ phase })));
      add.run(job, 5, 'log', '{}');
    }
    migrate(db);
    const left = (job: string): unknown[] =>
      db.prepare('SELECT seq FROM events WHERE job_id = ? ORDER BY seq').pluck().all(job);
    assert.deepEqual(
      [left('r.1'), left('r.2')],
      [
        [1, 4, 5],
        [0, 1, 2, 3, 4, 5],
      ],
    );
  });

  it('leave nothing of a step that fails', () => {
    const db = memory();
    const broken = { version: 2, sql: 'CREATE TABLE b (x INTEGER) STRICT; CREATE TABLE a (x INTEGER) STRICT' };
    const first = { version: 1, sql: 'CREATE TABLE a (x INTEGER) STRICT' };
    assert.throws(() => migrate(db, [first, broken]));
    assert.deepEqual([tablesOf(db), schemaVersion(db)], [['a'], 1]);
  });

  it('refuse a schema that is newer than they are, for writers and readers', (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const options = { now: () => 0, random: () => 0, canMove: () => true, waitMs: 20 };
    openWorkspace(dir, options).close();
    const db = new Database(join(dir, 'palimpsest.db'));
    db.pragma(`user_version = ${migrations.length + 1}`);
    db.close();
    const refusal = { code: 'WORKSPACE_UNUSABLE', message: /newer Palimpsest/ };
    assert.throws(() => openWorkspace(dir, options), refusal);
    assert.throws(() => readWorkspace(dir, options), refusal);
  });
});
