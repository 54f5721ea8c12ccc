import type { z } from 'zod';
import { RunRow, type RunPage, type RunQuery } from '../contract/history.ts';
import { RunRequest, type DataRef, type ModelRef, type RunState } from '../contract/run.ts';
import type { Connection } from './connection.ts';
import { isResumable, parseOrNull, type RunRow as StoredRun } from './runs.ts';

type Asked = z.output<typeof RunQuery>;

interface TableRow extends StoredRun {
  readonly note: string;
  readonly group_id: string | null;
  readonly deleted_at_ms: number | null;
  readonly is_paused: number;
  /** JSON list. */
  readonly tags: string;
}

const durationMs = `(SELECT COALESCE(SUM(COALESCE(j.finished_at_ms, j.last_event_at_ms) - j.started_at_ms), 0)
  FROM jobs j WHERE j.run_id = r.run_id AND j.started_at_ms IS NOT NULL)`;

const columns = `r.run_id, r.state, r.request, r.created_at_ms, r.started_at_ms, r.finished_at_ms, r.metrics, r.error,
  r.has_checkpoint, r.note, r.group_id, r.deleted_at_ms, r.is_paused, 0 AS jobs, NULL AS environment, ${durationMs} AS duration_ms,
  (SELECT json_group_array(t.tag ORDER BY t.tag) FROM tags t WHERE t.run_id = r.run_id) AS tags`;

/** Any of the texts of a JSON list given as parameter. */
const anyOf = (column: string, parameter: string): string =>
  `(@${parameter} IS NULL OR ${column} IN (SELECT value FROM json_each(@${parameter})))`;

const where = `(r.deleted_at_ms IS NOT NULL) = @isTrash
  AND ${anyOf('r.state', 'states')}
  AND ${anyOf('r.method_id', 'methodIds')}
  AND (@groupId IS NULL OR r.group_id = @groupId)
  AND (@fromMs IS NULL OR r.created_at_ms >= @fromMs)
  AND (@toMs IS NULL OR r.created_at_ms <= @toMs)
  AND (@tags IS NULL OR (SELECT COUNT(*) FROM tags t WHERE t.run_id = r.run_id
    AND t.tag IN (SELECT value FROM json_each(@tags))) = json_array_length(@tags))
  AND (@pattern IS NULL
    OR r.run_id LIKE @pattern ESCAPE '\\'
    OR r.method_id LIKE @pattern ESCAPE '\\'
    OR r.note LIKE @pattern ESCAPE '\\'
    OR EXISTS (SELECT 1 FROM tags t WHERE t.run_id = r.run_id AND t.tag LIKE @pattern ESCAPE '\\')
    OR (r.request LIKE @pattern ESCAPE '\\' AND (json_extract(r.request, '$.models') LIKE @pattern ESCAPE '\\'
      OR json_extract(r.request, '$.data') LIKE @pattern ESCAPE '\\')))`;

/** What a column of the table sorts by; undefined for a metric or a parameter. */
const sortable: Readonly<Record<string, string>> = {
  createdAtMs: 'r.created_at_ms',
  finishedAtMs: 'r.finished_at_ms',
  durationMs,
  state: 'r.state',
  methodId: 'r.method_id',
  runId: 'r.run_id',
  note: `NULLIF(r.note, '')`,
};

/** One page of the table of runs, and how many rows all pages have. A run needs every tag asked for. */
export function queryRuns(db: Connection, asked: Asked): RunPage {
  const filter = {
    isTrash: asked.isTrash === true ? 1 : 0,
    states: listOrNull(asked.states),
    methodIds: listOrNull(asked.methodIds),
    tags: listOrNull(asked.tags && [...new Set(asked.tags)]),
    groupId: asked.groupId ?? null,
    fromMs: asked.createdFromMs ?? null,
    toMs: asked.createdToMs ?? null,
    pattern:
      asked.text === undefined || asked.text === '' ? null : `%${asked.text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`,
  };
  const { expression, path, direction } = sorting(asked.sort);
  // All that fit are looked at once, for their number and their order; what a row shows is read for one page only.
  const rows = db
    .prepare<[typeof filter & { path: string | null; limit: number; offset: number }], TableRow & { total: number }>(
      `WITH hits AS (SELECT r.run_id, ${expression} AS sort_value, COUNT(*) OVER () AS total
         FROM runs r WHERE ${where} AND (@path IS NULL OR 1)
         ORDER BY sort_value IS NULL, sort_value ${direction}, r.run_id ${direction} LIMIT @limit OFFSET @offset)
       SELECT ${columns}, hits.sort_value, hits.total FROM hits JOIN runs r USING (run_id)
       ORDER BY hits.sort_value IS NULL, hits.sort_value ${direction}, r.run_id ${direction}`,
    )
    .all({ ...filter, path, limit: asked.limit, offset: asked.offset });
  const isBeyond = rows.length === 0 && asked.offset > 0;
  const count = (): number =>
    db.prepare<[typeof filter], number>(`SELECT COUNT(*) FROM runs r WHERE ${where}`).pluck().get(filter) ?? 0;
  return { rows: rows.map(toRow), total: isBeyond ? count() : (rows[0]?.total ?? 0) };
}

function sorting(sort: Asked['sort']): { expression: string; path: string | null; direction: 'ASC' | 'DESC' } {
  const { by, descending } = sort ?? { by: 'runId', descending: true };
  const direction = descending ? 'DESC' : 'ASC';
  const own = Object.hasOwn(sortable, by) ? sortable[by] : undefined;
  if (own !== undefined) return { expression: own, path: null, direction };
  const [source, name] = by.split('.');
  const expression = source === 'metrics' ? 'json_extract(r.metrics, @path)' : 'json_extract(r.request, @path)';
  return { expression, path: source === 'metrics' ? `$.${name}` : `$.params.${name}`, direction };
}

const listOrNull = (values: readonly string[] | undefined): string | null =>
  values === undefined || values.length === 0 ? null : JSON.stringify(values);

/** The row of an existing run, by its whole id. */
export function readRow(db: Connection, runId: string): RunRow {
  const row = db.prepare<[string], TableRow>(`SELECT ${columns} FROM runs r WHERE r.run_id = ?`).get(runId);
  return RunRow.parse(row && toRow(row));
}

function toRow(row: TableRow): RunRow {
  const { methodId, recipe, params, models, data } = RunRequest.parse(JSON.parse(row.request));
  return {
    runId: row.run_id,
    state: row.state,
    methodId,
    recipe: recipe ?? null,
    params,
    models: namesOf(models),
    data: namesOf(data),
    limits: Object.fromEntries(
      Object.entries(data).flatMap(([role, { limit }]) => (limit === undefined ? [] : [[role, limit]])),
    ),
    dims: Object.fromEntries(Object.entries(models).flatMap(([role, model]) => sizesOf(role, model))),
    createdAtMs: row.created_at_ms,
    startedAtMs: row.started_at_ms,
    finishedAtMs: row.finished_at_ms,
    durationMs: row.duration_ms,
    metrics: JSON.parse(row.metrics),
    error: RunRow.shape.error.parse(parseOrNull(row.error)),
    resumable: isResumable(row),
    isPaused: row.is_paused === 1 && isResumable(row),
    tags: JSON.parse(row.tags),
    note: row.note,
    groupId: row.group_id,
    deletedAtMs: row.deleted_at_ms,
  };
}

function sizesOf(role: string, model: ModelRef): [string, string][] {
  const sizes = model.kind === 'file' ? Object.entries(model.dims ?? {}) : [];
  return sizes.length === 0 ? [] : [[role, sizes.map(([name, size]) => `${name}=${size}`).join(', ')]];
}

/** File names without folders of either kind of system, architectures as they are. */
function namesOf(references: Readonly<Record<string, ModelRef | DataRef>>): Record<string, string> {
  const nameOf = (path: string): string => path.split(/[\\/]/).findLast((part) => part !== '') ?? path;
  const entries = Object.entries(references).map(([role, reference]): [string, string] => [
    role,
    'path' in reference ? nameOf(reference.path) : reference.architecture,
  ]);
  return Object.fromEntries(entries);
}

/** Runs in a state, oldest first: what a queue has to take up again. */
export function runIdsIn(db: Connection, state: RunState): string[] {
  return db
    .prepare<[string], string>('SELECT run_id FROM runs WHERE state = ? AND deleted_at_ms IS NULL ORDER BY run_id')
    .pluck()
    .all(state);
}

/** Every tag in use outside the trash, most used first. */
export function listTags(db: Connection): { tag: string; count: number }[] {
  return db
    .prepare<[], { tag: string; count: number }>(
      `SELECT t.tag, COUNT(*) AS count FROM tags t JOIN runs r USING (run_id) WHERE r.deleted_at_ms IS NULL
       GROUP BY t.tag ORDER BY count DESC, t.tag`,
    )
    .all();
}
