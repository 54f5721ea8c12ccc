/** What the user says about runs: notes, tags, groups of runs started together, and the trash. */
export const migration = {
  version: 2,
  sql: `
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN group_id TEXT;
ALTER TABLE runs ADD COLUMN deleted_at_ms INTEGER;
CREATE INDEX runs_by_group ON runs (group_id, run_id) WHERE group_id IS NOT NULL;
CREATE INDEX runs_in_trash ON runs (deleted_at_ms, run_id) WHERE deleted_at_ms IS NOT NULL;

CREATE TABLE tags (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  tag TEXT NOT NULL,
  PRIMARY KEY (run_id, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_by_tag ON tags (tag, run_id);
`,
} as const;
