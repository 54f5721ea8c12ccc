import assert from 'node:assert/strict';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { RunQuery } from '../contract/history.ts';
import type { RunEvent, RunRequest } from '../contract/run.ts';
import { toyRequest, toyWorkspace } from '../jobs/testing/toy-workspace.ts';
import type { Workspace } from './workspace.ts';

const teacher = { kind: 'file', path: '/models/lenet_5.onnx' } as const;

function finish(workspace: Workspace, runId: string, events: readonly Record<string, unknown>[] = []): string {
  const jobId = workspace.createJob(runId);
  const environment = {
    palimpsest: '1',
    node: '24',
    onnxruntime: '1',
    platform: 'test',
    cpu: 'test',
    cores: 1,
    deviceAsked: 'cpu',
    deviceUsed: 'cpu',
    threads: 1,
    models: {},
    data: {},
  };
  const all = [
    { type: 'started', environment },
    ...events,
    { type: 'finished', state: 'succeeded', metrics: { distance: 2 } },
  ];
  all.forEach((event, seq) => {
    workspace.appendEvent({ runId, jobId, seq, atMs: 1000 + 10 * seq, ...event } as RunEvent);
  });
  return runId;
}

const add = (workspace: Workspace, request: Partial<RunRequest> = {}): string =>
  workspace.createRun({ ...toyRequest(), ...request });

const ids = (workspace: Workspace, query: RunQuery): string[] =>
  workspace.queryRuns(RunQuery.parse(query)).rows.map(({ runId }) => runId);

function someRuns(t: TestContext): { workspace: Workspace; a: string; b: string; c: string } {
  const workspace = toyWorkspace(t);
  const a = finish(workspace, add(workspace, { params: { steps: 10 }, models: { teacher } }));
  const b = add(workspace, { params: { steps: 9 }, methodId: 'other' });
  const c = add(workspace, {
    params: { steps: 100 },
    data: { test: { path: 'C:\\sets\\digits\\', format: 'auto', split: 'all' } },
  });
  return { workspace, a, b, c };
}

describe('the table of runs', () => {
  it('is newest first, in pages, and counts them all', (t) => {
    const { workspace, a, b, c } = someRuns(t);
    assert.deepEqual(ids(workspace, {}), [a, b, c].toSorted().toReversed());
    const page = workspace.queryRuns(RunQuery.parse({ offset: 1, limit: 1 }));
    assert.deepEqual([page.rows.length, page.total], [1, 3]);
  });

  it('filters by state, method, group, time and words in any column', (t) => {
    const { workspace, a, b, c } = someRuns(t);
    workspace.annotate([b], { note: '100% sure', groupId: 'g1' });
    assert.deepEqual(ids(workspace, { states: ['succeeded'] }), [a]);
    assert.deepEqual(ids(workspace, { states: ['queued'], methodIds: ['other'] }), [b]);
    assert.deepEqual(ids(workspace, { groupId: 'g1' }), [b]);
    assert.deepEqual(ids(workspace, { text: 'LENET_5' }), [a]);
    assert.deepEqual(ids(workspace, { text: 'lenet%5' }), []);
    assert.deepEqual(ids(workspace, { text: '100%' }), [b]);
    assert.deepEqual(ids(workspace, { text: 'digits' }), [c]);
    assert.deepEqual(ids(workspace, { text: c.slice(-4) }), [c]);
    assert.deepEqual(ids(workspace, { createdToMs: workspace.getRow(a).createdAtMs - 1 }), []);
  });

  it('sorts by columns, metrics and parameters, with missing values last either way', (t) => {
    const { workspace, a, b, c } = someRuns(t);
    const by = (column: string, descending: boolean): string[] => ids(workspace, { sort: { by: column, descending } });
    assert.deepEqual(by('params.steps', false), [b, a, c]);
    assert.deepEqual(by('params.steps', true), [c, a, b]);
    assert.equal(by('metrics.distance', true)[0], a);
    assert.equal(by('metrics.distance', false)[0], a);
    assert.equal(by('durationMs', true)[0], a);
    assert.equal(RunQuery.safeParse({ sort: { by: "metrics.x') --", descending: true } }).success, false);
  });

  it('shows names without folders, tags in order and what a run came to', (t) => {
    const { workspace, a, c } = someRuns(t);
    workspace.annotate([a], { addTags: ['paper', 'good', 'paper'], note: 'first' });
    const row = workspace.getRow(a);
    assert.deepEqual([row.models, row.tags, row.note], [{ teacher: 'lenet_5.onnx' }, ['good', 'paper'], 'first']);
    assert.deepEqual([row.state, row.metrics, row.durationMs], ['succeeded', { distance: 2 }, 10]);
    assert.deepEqual(workspace.getRow(c).data, { test: 'digits' });
  });

  it('finds runs that have every tag asked for, and counts tags', (t) => {
    const { workspace, a, b } = someRuns(t);
    workspace.annotate([a, b], { addTags: ['paper'] });
    workspace.annotate([a], { addTags: ['good'] });
    assert.deepEqual(ids(workspace, { tags: ['paper', 'good'] }), [a]);
    assert.deepEqual(workspace.tags(), [
      { tag: 'paper', count: 2 },
      { tag: 'good', count: 1 },
    ]);
    workspace.annotate([a], { removeTags: ['paper'] });
    assert.deepEqual(ids(workspace, { tags: ['paper'] }), [b]);
  });
});

const none: ReadonlySet<string> = new Set();

describe('the trash', () => {
  it('hides runs, brings them back and lets them go for good', (t) => {
    const { workspace, a, b, c } = someRuns(t);
    workspace.trash([a, b]);
    assert.deepEqual(ids(workspace, {}), [c]);
    assert.deepEqual(
      workspace.listRuns().map(({ runId }) => runId),
      [c],
    );
    assert.deepEqual(ids(workspace, { isTrash: true }).toSorted(), [a, b].toSorted());
    assert.deepEqual(workspace.runIdsIn('queued'), [c]);
    workspace.restore([a]);
    assert.deepEqual(ids(workspace, { isTrash: true }), [b]);
    assert.throws(() => workspace.purge([a], none), { code: 'RUN_STATE' });
    workspace.purge([b], none);
    assert.throws(() => workspace.getRun(b), { code: 'RUN_UNKNOWN' });
    assert.deepEqual([workspace.trashedFor(0), workspace.trashedFor(30)], [[], []]);
  });

  it('does not take a run that is being computed, nor others with it', (t) => {
    const { workspace, a, b } = someRuns(t);
    const jobId = workspace.createJob(b);
    workspace.appendEvent({
      ...(workspace.events(a)[0] as Extract<RunEvent, { type: 'started' }>),
      runId: b,
      jobId,
      seq: 0,
    });
    assert.throws(() => workspace.trash([a, b]), { code: 'RUN_STATE' });
    assert.equal(workspace.getRow(a).deletedAtMs, null);
  });

  it('deletes the files that no other run has, and only those', (t) => {
    const workspace = toyWorkspace(t);
    const artifact = (name: string, sha256: string) => ({
      type: 'artifact',
      artifact: { name, title: name, mediaType: 'image/png', sha256: sha256.repeat(64), sizeBytes: 1, meta: {} },
    });
    const a = finish(workspace, add(workspace), [artifact('own', 'a'), artifact('shared', 'b')]);
    finish(workspace, add(workspace), [artifact('shared', 'b')]);
    const [own, shared] = ['a', 'b'].map((digit) => workspace.artifactPath(digit.repeat(64)));
    for (const path of [own ?? '', shared ?? '']) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'x');
    }
    workspace.trash([a]);
    workspace.purge([a], none);
    assert.deepEqual([existsSync(own ?? ''), existsSync(shared ?? '')], [false, true]);
  });
});

describe('freeing the files of a run', () => {
  /** A run in the trash with three files, of which the job under way has met one. */
  function trashed(t: TestContext) {
    const workspace = toyWorkspace(t);
    const digests = ['a', 'b', 'c'].map((digit) => digit.repeat(64));
    const runId = finish(
      workspace,
      add(workspace),
      digests.map((sha256) => ({
        type: 'artifact',
        artifact: { name: sha256, title: 'T', mediaType: 'image/png', sha256, sizeBytes: 1, meta: {} },
      })),
    );
    const [old = '', held = '', met = ''] = digests;
    for (const sha256 of digests) {
      const path = workspace.artifactPath(sha256);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, 'x');
      utimesSync(path, 1, 1);
    }
    workspace.trash([runId]);
    const left = (): boolean[] => [old, held, met].map((sha256) => existsSync(workspace.artifactPath(sha256)));
    return { workspace, runId, held: new Set([held]), met: workspace.artifactPath(met), left };
  }

  it('leaves what a checkpoint holds, and what the job under way has met', (t) => {
    const { workspace, runId, held, met, left } = trashed(t);
    workspace.createJob(add(workspace));
    utimesSync(met, Date.UTC(2030, 0) / 1000, Date.UTC(2030, 0) / 1000);
    workspace.purge([runId], held);
    assert.deepEqual(left(), [false, true, true]);
  });

  it('leaves none of its own when no job is under way, however new they are', (t) => {
    const { workspace, runId, met, left } = trashed(t);
    utimesSync(met, Date.UTC(2030, 0) / 1000, Date.UTC(2030, 0) / 1000);
    workspace.purge([runId], none);
    assert.deepEqual(left(), [false, false, false]);
  });
});

describe('a curve for a screen', () => {
  it('keeps first, last, lowest and highest of more points than it may have', (t) => {
    const workspace = toyWorkspace(t);
    const values = Array.from({ length: 5000 }, (_, step) => Math.sin(step / 100));
    values[1234] = -50;
    values[4321] = 50;
    const points = values.map((value, step) => ({ name: 'loss', step, value }));
    const runId = finish(workspace, add(workspace), [{ type: 'metrics', points }]);
    const { loss } = workspace.thinnedSeries(runId, { maxPoints: 200 });
    assert.equal(loss?.total, 5000);
    assert.ok(loss.points.length <= 200 && loss.points.length > 150, `${loss.points.length} points`);
    assert.deepEqual([loss.points[0]?.step, loss.points.at(-1)?.step], [0, 4999]);
    const steps = loss.points.map(({ step }) => step);
    assert.ok(steps.includes(1234) && steps.includes(4321));
    assert.deepEqual(
      steps,
      steps.toSorted((x, y) => x - y),
    );
    for (const { step, value } of loss.points) assert.equal(value, values[step]);
  });

  it('is whole when it is short, within the steps and names asked for', (t) => {
    const workspace = toyWorkspace(t);
    const points = ['loss', 'accuracy'].flatMap((name) => [0, 10, 20].map((step) => ({ name, step, value: step })));
    const runId = finish(workspace, add(workspace), [{ type: 'metrics', points }]);
    assert.deepEqual(workspace.thinnedSeries(runId, { maxPoints: 10, names: ['loss'], fromStep: 5 }), {
      loss: { total: 2, points: [10, 20].map((step) => ({ step, value: step })) },
    });
  });
});
