import { WorkbenchError } from '../base/errors.ts';
import type { Connection } from './connection.ts';

export interface Annotation {
  readonly note?: string | undefined;
  readonly addTags?: readonly string[] | undefined;
  readonly removeTags?: readonly string[] | undefined;
  readonly groupId?: string | undefined;
  /** Its next start takes it back. */
  readonly isPaused?: boolean | undefined;
}

export function writeAnnotation(db: Connection, runIds: readonly string[], annotation: Annotation): void {
  const { note, addTags = [], removeTags = [], groupId, isPaused } = annotation;
  const setNote = db.prepare<[string, string]>('UPDATE runs SET note = ? WHERE run_id = ?');
  const setGroup = db.prepare<[string, string]>('UPDATE runs SET group_id = ? WHERE run_id = ?');
  const setPaused = db.prepare<[number, string]>('UPDATE runs SET is_paused = ? WHERE run_id = ?');
  const add = db.prepare<[string, string]>('INSERT INTO tags (run_id, tag) VALUES (?, ?) ON CONFLICT DO NOTHING');
  const remove = db.prepare<[string, string]>('DELETE FROM tags WHERE run_id = ? AND tag = ?');
  for (const runId of runIds) {
    if (note !== undefined) setNote.run(note, runId);
    if (groupId !== undefined) setGroup.run(groupId, runId);
    if (isPaused !== undefined) setPaused.run(Number(isPaused), runId);
    for (const tag of removeTags) remove.run(runId, tag);
    for (const tag of addTags) add.run(runId, tag);
  }
}

/** @throws RUN_STATE when a run is being computed. Runs that are in the trash already keep their day. */
export function moveToTrash(db: Connection, runIds: readonly string[], atMs: number): void {
  const state = db.prepare<[string], string>('SELECT state FROM runs WHERE run_id = ?').pluck();
  const mark = db.prepare<[number, string]>(
    'UPDATE runs SET deleted_at_ms = ? WHERE run_id = ? AND deleted_at_ms IS NULL',
  );
  for (const runId of runIds) {
    if (state.get(runId) === 'running') {
      throw new WorkbenchError('RUN_STATE', `Run ${runId} is running and cannot be moved to the trash`, {
        hint: 'Cancel it first.',
      });
    }
    mark.run(Math.round(atMs), runId);
  }
}

export function takeFromTrash(db: Connection, runIds: readonly string[]): void {
  const mark = db.prepare<[string]>('UPDATE runs SET deleted_at_ms = NULL WHERE run_id = ?');
  for (const runId of runIds) mark.run(runId);
}

/** Runs that have been in the trash since before `beforeMs`. */
export function trashedBefore(db: Connection, beforeMs: number): string[] {
  return db
    .prepare<[number], string>('SELECT run_id FROM runs WHERE deleted_at_ms < ? ORDER BY run_id')
    .pluck()
    .all(Math.round(beforeMs));
}

/** Forgets runs that are in the trash, and gives the hashes of files that no other run has. */
export function purgeRuns(db: Connection, runIds: readonly string[]): string[] {
  const held = db.prepare<[string], string>('SELECT DISTINCT sha256 FROM artifacts WHERE run_id = ?').pluck();
  const forget = db.prepare<[string]>('DELETE FROM runs WHERE run_id = ? AND deleted_at_ms IS NOT NULL');
  const stillHeld = db.prepare<[string], number>('SELECT 1 FROM artifacts WHERE sha256 = ? LIMIT 1').pluck();
  const freed = new Set<string>();
  for (const runId of runIds) {
    const hashes = held.all(runId);
    if (forget.run(runId).changes === 0) {
      throw new WorkbenchError('RUN_STATE', `Run ${runId} is not in the trash and cannot be deleted for good`, {
        hint: 'Move it to the trash first.',
      });
    }
    for (const sha256 of hashes) freed.add(sha256);
  }
  return [...freed].filter((sha256) => stillHeld.get(sha256) === undefined);
}
