import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Environment, RunEvent } from '../contract/run.ts';
import { describeMachine } from '../jobs/environment.ts';
import { toyRegistry } from '../jobs/testing/toy-method.ts';
import { tickingClock, toyRequest, toyWorkspace } from '../jobs/testing/toy-workspace.ts';
import type { Workspace } from '../store/workspace.ts';
import { createLinks } from './links.ts';

const specs = Object.values(toyRegistry).map(({ spec }) => spec);

/** A run that is being computed and says that it has made a file of so many bytes. */
function startRun(workspace: Workspace, sizeBytes: number): { readonly runId: string; finish(): void } {
  const runId = workspace.createRun(toyRequest());
  const jobId = workspace.createJob(runId);
  const at = (seq: number) => ({ runId, jobId, seq, atMs: seq });
  const artifact = {
    name: 'student',
    title: 'Student',
    mediaType: 'application/octet-stream',
    sha256: 'a'.repeat(64),
    sizeBytes,
    meta: {},
  };
  const environment: Environment = {
    ...describeMachine(),
    deviceAsked: 'cpu',
    deviceUsed: 'cpu',
    threads: 1,
    models: {},
    data: {},
  };
  const events: RunEvent[] = [
    { type: 'started', ...at(0), environment },
    { type: 'artifact', ...at(1), artifact },
  ];
  for (const event of events) workspace.appendEvent(event);
  return { runId, finish: () => void workspace.appendEvent({ type: 'finished', ...at(2), state: 'succeeded' }) };
}

describe('a link', () => {
  it('to a bundle of a run that is being computed is refused when it is asked for', (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, 10);
    assert.throws(() => links.create({ kind: 'bundle', runIds: [runId] }), { code: 'RUN_STATE' });
    finish();
    assert.match(links.create({ kind: 'bundle', runIds: [runId] }), /palimpsest\.zip$/);
  });

  it('to more than memory should hold is refused before a file is read', (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const { runId, finish } = startRun(workspace, 2e9);
    finish();
    const tooMuch = { code: 'USAGE', message: /2000000000 bytes together, expected at most/ };
    assert.throws(() => links.create({ kind: 'bundle', runIds: [runId] }), tooMuch);
    assert.throws(() => links.create({ kind: 'artifact', runId, name: 'student' }), tooMuch);
    for (const format of ['artifacts', 'all'] as const) {
      assert.throws(() => links.create({ kind: 'export', runId, format }), tooMuch);
    }
    assert.match(links.create({ kind: 'export', runId, format: 'csv' }), /csv\.zip$/);
  });

  it('to the report of a method that is not here is refused when it is asked for', (t) => {
    const workspace = toyWorkspace(t);
    const { runId } = startRun(workspace, 10);
    const links = createLinks(workspace, [], tickingClock());
    assert.throws(() => links.create({ kind: 'report', runId }), { code: 'METHOD_UNKNOWN' });
  });
});
