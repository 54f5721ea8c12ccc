/** Runs, their jobs, events, metrics, artifacts and the hashes of what they read. Times are milliseconds since 1970. */
export const migration = {
  version: 1,
  sql: `
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
  method_id TEXT NOT NULL,
  method_version INTEGER NOT NULL,
  request TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  finished_at_ms INTEGER,
  metrics TEXT NOT NULL DEFAULT '{}',
  error TEXT,
  has_checkpoint INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_by_state ON runs (state, run_id);
CREATE INDEX runs_by_method ON runs (method_id, run_id);

CREATE TABLE jobs (
  job_id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
  pid INTEGER,
  host TEXT,
  process_start TEXT,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER,
  last_event_at_ms INTEGER,
  finished_at_ms INTEGER,
  resumed_from_step INTEGER,
  environment TEXT,
  error TEXT,
  peak_memory_bytes INTEGER,
  UNIQUE (run_id, ordinal)
) STRICT;
CREATE INDEX open_jobs ON jobs (job_id) WHERE finished_at_ms IS NULL;

CREATE TABLE events (
  job_id TEXT NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
  seq INTEGER NOT NULL,
  type TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE metrics (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  step INTEGER NOT NULL,
  value REAL NOT NULL,
  PRIMARY KEY (run_id, name, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE artifacts (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  ordinal INTEGER NOT NULL,
  title TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  meta TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
) STRICT;
CREATE INDEX artifacts_by_content ON artifacts (sha256);

CREATE TABLE inputs (
  run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('model', 'data')),
  role TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  PRIMARY KEY (run_id, kind, role)
) STRICT;
CREATE INDEX inputs_by_content ON inputs (sha256);
`,
} as const;
