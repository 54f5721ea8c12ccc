/** Runs that were stopped to go on later, told from those that were given up. */
export const migration = {
  version: 4,
  sql: `
ALTER TABLE runs ADD COLUMN is_paused INTEGER NOT NULL DEFAULT 0;
`,
} as const;
