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
