/** Of jobs that have finished only the last progress of each phase stays. */
export const migration = {
  version: 5,
  sql: `
DELETE FROM events WHERE type = 'progress' AND job_id IN (SELECT job_id FROM jobs WHERE finished_at_ms IS NOT NULL)
  AND (job_id, seq) NOT IN (
    SELECT job_id, MAX(seq) FROM events WHERE type = 'progress' GROUP BY job_id, json_extract(body, '$.phase')
  );
`,
} as const;
