import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Environment, MetricPoint, RunEvent } from '../contract/run.ts';
import { describeMachine } from '../jobs/environment.ts';
import { toyRegistry } from '../jobs/testing/toy-method.ts';
import { tickingClock, toyRequest, toyWorkspace } from '../jobs/testing/toy-workspace.ts';
import type { Workspace } from '../store/workspace.ts';
import { createLinks } from './links.ts';

const specs = Object.values(toyRegistry).map(({ spec }) => spec);

/** A run that is being computed and says that it has made a file of so many bytes. */
function startRun(workspace: Workspace, sizeBytes: number) {
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
  let seq = 2;
  const say = (body: { type: 'metrics'; points: MetricPoint[] } | { type: 'finished'; state: 'succeeded' }): void =>
    void workspace.appendEvent({ ...body, ...at(seq++) });
  return { runId, say, finish: () => say({ type: 'finished', state: 'succeeded' }) };
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

  it('to curves leads to every point of them, next to each other by step', (t) => {
    const workspace = toyWorkspace(t);
    const links = createLinks(workspace, specs, tickingClock());
    const runIds = [0, 1].map((offset) => {
      const { runId, say } = startRun(workspace, 10);
      const points = Array.from({ length: 3000 }, (_, i) => ({ name: 'loss', step: 2 * i + offset, value: i / 4 }));
      say({ type: 'metrics', points });
      return runId;
    });
    const curves = runIds.map((runId, i) => ({ runId, name: 'loss', label: i === 0 ? '=A' : 'B' }));
    const url = links.create({ kind: 'series', title: 'compare-loss', xTitle: 'step', curves });
    assert.match(url, /compare-loss\.csv$/);
    const opened = links.open(url.split('/')[2] ?? '');
    const lines = new TextDecoder().decode(opened?.bytes).split('\r\n');
    assert.deepEqual(lines.slice(0, 5), ["step,'=A,B", '0,0,', '1,,0', '2,0.25,', '3,,0.25']);
    assert.equal(lines.length, 1 + 6000 + 1);
    const unknown = [{ runId: 'no', name: 'loss', label: 'A' }];
    assert.throws(() => links.create({ kind: 'series', title: 'x', xTitle: 'step', curves: unknown }), {
      code: 'RUN_UNKNOWN',
    });
  });

  it('to the report of a method that is not here is refused when it is asked for', (t) => {
    const workspace = toyWorkspace(t);
    const { runId } = startRun(workspace, 10);
    const links = createLinks(workspace, [], tickingClock());
    assert.throws(() => links.create({ kind: 'report', runId }), { code: 'METHOD_UNKNOWN' });
  });
});
