/** Runs that came in by a signed bundle, and whose key signed it. */
export const migration = {
  version: 3,
  sql: `
CREATE TABLE imports (
  run_id TEXT PRIMARY KEY REFERENCES runs (run_id) ON DELETE CASCADE,
  signing_key TEXT NOT NULL,
  imported_at_ms INTEGER NOT NULL
) STRICT;
`,
} as const;
