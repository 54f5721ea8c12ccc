import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import Database from 'better-sqlite3';
import type { Environment, RunEvent, RunRequest, RunState } from '../contract/run.ts';
import { isAlive, identify } from './processes.ts';
import { openWorkspace, readWorkspace, type Workspace, type WorkspaceOptions } from './workspace.ts';

const request: RunRequest = {
  methodId: 'walk',
  methodVersion: 1,
  params: { steps: 3 },
  models: { teacher: { kind: 'file', path: 'lenet5.onnx' } },
  data: {},
  device: 'auto',
  threads: 1,
};

const environment: Environment = {
  palimpsest: '0.1.0',
  node: '24',
  onnxruntime: '1.29.0',
  platform: 'linux-x64',
  cpu: 'cpu',
  cores: 2,
  deviceAsked: 'auto',
  deviceUsed: 'cpu',
  threads: 1,
  models: { teacher: 'a'.repeat(64) },
  data: {},
};

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'workspace');
}

function optionsAt(startMs = Date.UTC(2026, 10, 22, 10, 15, 30)): WorkspaceOptions {
  let draws = 0;
  const anyMove = (from: RunState): boolean => from !== 'succeeded';
  return { now: () => startMs, random: () => (draws++ * 0.37) % 1, canMove: anyMove, waitMs: 20 };
}

function open(t: TestContext, dir = folder(t), options = optionsAt()): Workspace {
  const workspace = openWorkspace(dir, options);
  t.after(() => workspace.close());
  return workspace;
}

type Body = {
  [Type in RunEvent['type']]: Omit<Extract<RunEvent, { type: Type }>, 'runId' | 'jobId' | 'seq' | 'atMs'>;
}[RunEvent['type']];

/** A run with one job, and a function that stores the job's next event. */
function newJob(workspace: Workspace) {
  const runId = workspace.createRun(request);
  const jobId = workspace.createJob(runId);
  let seq = 0;
  const say = (body: Body, atMs = 0): RunEvent => {
    const event: RunEvent = { ...body, runId, jobId, seq: seq++, atMs };
    workspace.appendEvent(event);
    return event;
  };
  return { runId, jobId, say };
}

const started: Body = { type: 'started', environment };
const point = (step: number, value: number): Body => ({ type: 'metrics', points: [{ name: 'loss', step, value }] });
const artifact = (sha256: string): Body => ({
  type: 'artifact',
  artifact: { name: 'grid', title: 'Grid', mediaType: 'image/png', sha256, sizeBytes: 3, meta: { columns: 10 } },
});

describe('a workspace', () => {
  it('keeps what was asked and what came out across openings', (t) => {
    const dir = folder(t);
    const workspace = open(t, dir);
    const { runId, say } = newJob(workspace);
    assert.match(runId, /^20261122-101530-[0-9a-z]{4}$/);
    say(started, 1000);
    say(point(0, 2.5));
    say(artifact('b'.repeat(64)));
    say({ type: 'finished', state: 'succeeded', metrics: { accuracy: 0.97, gap: null }, peakMemoryBytes: 5 }, 4000);
    workspace.close();
    const reader = readWorkspace(dir, optionsAt());
    t.after(() => reader.close());
    const run = reader.getRun(runId);
    assert.deepEqual(run.request, request);
    assert.deepEqual(run.environment, environment);
    assert.deepEqual(run.metrics, { accuracy: 0.97, gap: null });
    assert.deepEqual([run.state, run.durationMs, run.jobs, run.resumable], ['succeeded', 3000, 1, false]);
    assert.deepEqual(run.artifacts[0]?.meta, { columns: 10 });
    assert.deepEqual(reader.series(runId), { loss: [{ name: 'loss', step: 0, value: 2.5 }] });
    assert.equal(reader.jobs(runId)[0]?.peakMemoryBytes, 5);
  });

  it('takes the same event twice, and no gap, no contradiction and nothing after the end', (t) => {
    const workspace = open(t);
    const { runId, jobId, say } = newJob(workspace);
    const first = say(started);
    workspace.appendEvent(first);
    const log = { runId, jobId, atMs: 0, type: 'log', level: 'info' } as const;
    assert.throws(() => workspace.appendEvent({ ...log, seq: 2, message: 'gap' }), {
      message: /expected event 1, got 2/,
    });
    assert.throws(() => workspace.appendEvent({ ...log, seq: 0, message: 'other' }), { message: /two events 0/ });
    say({ type: 'finished', state: 'succeeded' });
    assert.throws(() => workspace.appendEvent({ ...log, seq: 2, message: 'late' }), {
      message: /after it had finished/,
    });
    assert.deepEqual(
      workspace.events(runId).map((event) => event.seq),
      [0, 1],
    );
    assert.equal(workspace.events(runId, { jobId, from: 1 }).length, 1);
  });

  it('keeps of the progress of a job that has finished what was last of each phase, and takes it in by an import', (t) => {
    const workspace = open(t);
    const { runId, jobId, say } = newJob(workspace);
    say(started);
    const told = ['load', 'train', 'train', 'train', 'test'].map((phase, step) =>
      say({ type: 'progress', phase, step, totalSteps: 5, fraction: step / 5 }),
    );
    assert.equal(workspace.events(runId, { types: ['progress'] }).length, 5);
    workspace.appendEvent(told[2] ?? assert.fail());
    const end = say({ type: 'finished', state: 'interrupted' });
    assert.deepEqual(
      workspace.events(runId, { types: ['progress'] }).map(({ seq }) => seq),
      [1, 4, 5],
    );
    assert.equal(workspace.lastEvent(jobId, 'progress')?.phase, 'test');
    const kept = workspace.events(runId);
    const second = { runId, jobId: `${runId}.2`, atMs: 0 };
    const more: RunEvent[] = [
      { ...second, seq: 0, type: 'started', environment },
      { ...second, seq: 3, type: 'progress', phase: 'train', step: 4, totalSteps: 5, fraction: 0.8 },
      { ...second, seq: 4, type: 'finished', state: 'succeeded' },
    ];
    const [first] = workspace.jobs(runId);
    assert.ok(first);
    const jobs = [first, { jobId: second.jobId, ordinal: 2, createdAtMs: 0 }];
    const foreign = { runId, request, createdAtMs: 0, jobs, note: '', tags: [], groupId: null };
    const take = (events: readonly RunEvent[], into = workspace) =>
      into.importRuns([{ ...foreign, events }], { key: 'k', atMs: 0 })[0]?.outcome;
    // Told with all progress, as an older program does, or with what is left of it.
    assert.equal(take([kept[0] ?? end, ...told, end]), 'known');
    assert.equal(take(kept), 'known');
    assert.equal(take([...kept, ...more]), 'extended');
    assert.equal(workspace.getRun(runId).state, 'succeeded');
    const other = open(t);
    assert.equal(take([...kept, ...more], other), 'added');
    assert.deepEqual(other.events(runId), workspace.events(runId));
  });

  it('keeps little progress of a job that is going on, too, from one checkpoint to the next', (t) => {
    const workspace = open(t);
    const { runId, say } = newJob(workspace);
    say(started);
    const progress = (step: number): void =>
      void say({ type: 'progress', phase: 'train', step, totalSteps: 9, fraction: 0 });
    for (const step of [0, 1, 2, 3, 4, 5]) {
      progress(step);
      if (step % 3 === 2) say({ type: 'checkpoint', phase: 'train', step, path: 'p' });
    }
    progress(6);
    const steps = workspace.events(runId, { types: ['progress'] });
    assert.deepEqual(
      steps.map((event) => (event.type === 'progress' ? event.step : -1)),
      [2, 5, 6],
    );
    assert.equal(workspace.events(runId, { types: ['checkpoint'] }).length, 2);
  });

  it('replaces a metric point and an artifact that come again', (t) => {
    const workspace = open(t);
    const { runId, say } = newJob(workspace);
    say(started);
    say(point(1, 2));
    say(point(1, 3));
    say(artifact('b'.repeat(64)));
    say(artifact('c'.repeat(64)));
    assert.deepEqual(workspace.series(runId)['loss'], [{ name: 'loss', step: 1, value: 3 }]);
    assert.deepEqual(
      workspace.getRun(runId).artifacts.map(({ sha256 }) => sha256[0]),
      ['c'],
    );
  });

  it('refuses a move that the table of states does not have, and keeps nothing of the event', (t) => {
    const workspace = open(t, folder(t), { ...optionsAt(), canMove: () => false });
    const { runId, say } = newJob(workspace);
    assert.throws(() => say(started), { code: 'RUN_STATE' });
    assert.deepEqual(workspace.events(runId), []);
  });

  it('adds up the time of all jobs, and can be resumed though the word of its first checkpoint was lost', (t) => {
    const workspace = open(t);
    const { runId, say } = newJob(workspace);
    assert.equal(workspace.getRun(runId).resumable, true);
    say(started, 0);
    say({ type: 'finished', state: 'interrupted' }, 500);
    assert.equal(workspace.getRun(runId).resumable, true);
    const jobId = workspace.createJob(runId);
    const envelope = { runId, jobId, atMs: 10_000 };
    workspace.appendEvent({ ...envelope, seq: 0, type: 'started', environment });
    workspace.appendEvent({ ...envelope, seq: 1, type: 'checkpoint', phase: 'a', step: 3, path: 'p' });
    workspace.appendEvent({ ...envelope, seq: 2, type: 'finished', state: 'interrupted', atMs: 10_250 });
    const run = workspace.getRun(runId);
    assert.deepEqual([run.durationMs, run.jobs, run.resumable], [750, 2, true]);
  });

  it('finds a run by its beginning or its end and names close ones', (t) => {
    const workspace = open(t);
    const first = workspace.createRun(request);
    const second = workspace.createRun(request);
    assert.equal(workspace.getRun(first.slice(-4)).runId, first);
    assert.equal(workspace.getRun(second.slice(0, -1)).runId, second);
    assert.throws(() => workspace.getRun('20261122'), { code: 'RUN_UNKNOWN', message: /fits 2 runs/ });
    const typo = `${first.slice(0, -1)}_`;
    assert.throws(
      () => workspace.getRun(typo),
      (error: Error) => 'hint' in error && String(error.hint).startsWith(`Close to it: ${first}`),
    );
  });

  it('lists 1,000 runs newest first, by state, method and number', (t) => {
    let atMs = 0;
    const workspace = open(t, folder(t), { ...optionsAt(), now: () => (atMs += 1000) });
    const ids = Array.from({ length: 1000 }, (_, i) =>
      workspace.createRun({ ...request, methodId: i % 4 === 0 ? 'rare' : 'walk' }),
    );
    assert.deepEqual(
      workspace.listRuns().map((run) => run.runId),
      ids.toReversed(),
    );
    assert.equal(workspace.listRuns({ limit: 7 }).length, 7);
    assert.equal(workspace.listRuns({ methodId: 'rare' }).length, 250);
    assert.equal(workspace.listRuns({ state: 'running' }).length, 0);
  });

  it('that does not exist is empty to a reader and is not made', (t) => {
    const dir = folder(t);
    const reader = readWorkspace(dir, optionsAt());
    assert.deepEqual(reader.listRuns(), []);
    assert.throws(() => reader.getRun('x'), { code: 'RUN_UNKNOWN' });
    reader.close();
    assert.equal(existsSync(dir), false);
  });

  it('is not usable where a file stands, below a file, or with a damaged or foreign database', (t) => {
    const dir = folder(t);
    writeFileSync(dir, '');
    const unusable = { code: 'WORKSPACE_UNUSABLE', hint: /--workspace/ };
    assert.throws(() => openWorkspace(dir, optionsAt()), unusable);
    assert.throws(() => openWorkspace(join(dir, 'below'), optionsAt()), unusable);
    // No folder can be made below /proc.
    if (process.platform === 'linux') assert.throws(() => openWorkspace('/proc/palimpsest', optionsAt()), unusable);
    const damaged = folder(t);
    open(t, damaged).close();
    for (const name of readdirSync(damaged)) if (name.startsWith('palimpsest.db')) rmSync(join(damaged, name));
    writeFileSync(join(damaged, 'palimpsest.db'), 'no database at all, but long enough to look at'.repeat(100));
    assert.throws(() => openWorkspace(damaged, optionsAt()), unusable);
    rmSync(join(damaged, 'palimpsest.db'));
    new Database(join(damaged, 'palimpsest.db')).exec('CREATE TABLE notes (text TEXT)').close();
    assert.throws(() => openWorkspace(damaged, optionsAt()), { ...unusable, message: /another program/ });
  });

  it('finds a missing or changed artifact file', (t) => {
    const workspace = open(t);
    const { runId, say } = newJob(workspace);
    say(started);
    say(artifact('d'.repeat(64)));
    const [stored] = workspace.getRun(runId).artifacts;
    assert.ok(stored);
    assert.throws(() => workspace.readArtifact(stored), { code: 'WORKSPACE_UNUSABLE', message: /missing/ });
  });
});

describe('the one writer', () => {
  it('keeps a second one out, with its name, until it closes', (t) => {
    const dir = folder(t);
    const workspace = open(t, dir);
    const message = new RegExp(`process ${process.pid} on ${hostname()}`);
    assert.throws(() => openWorkspace(dir, optionsAt()), { code: 'WORKSPACE_BUSY', message });
    workspace.close();
    open(t, dir).close();
  });

  it('takes over from one that died, even if its process number lives again', (t) => {
    const dir = folder(t);
    open(t, dir).close();
    const dead = { ...identify(process.ppid), start: 'another time' };
    writeFileSync(join(dir, 'locks', 'writer.json'), JSON.stringify(dead));
    open(t, dir).close();
  });

  it('interrupts runs whose job has died, at its last sign of life, and leaves living ones alone', (t) => {
    const dir = folder(t);
    const workspace = open(t, dir);
    const dead = newJob(workspace);
    dead.say(started, 100);
    dead.say(point(0, 1), 300);
    const living = newJob(workspace);
    workspace.setJobProcess(living.jobId, process.pid);
    living.say(started, 100);
    const queued = workspace.createRun(request);
    workspace.close();
    const reader = readWorkspace(dir, optionsAt());
    t.after(() => reader.close());
    const run = reader.getRun(dead.runId);
    assert.deepEqual([run.state, run.error?.code, run.durationMs], ['interrupted', 'JOB_CRASHED', 200]);
    assert.deepEqual(
      reader.events(dead.runId).map((event) => [event.seq, event.type]),
      [
        [0, 'started'],
        [1, 'metrics'],
        [2, 'finished'],
      ],
    );
    assert.equal(reader.getRun(living.runId).state, 'running');
    assert.equal(reader.getRun(queued).state, 'queued');
  });
});

describe('a process', () => {
  it('is alive under its own start time only, and dead on another host', () => {
    const self = identify(process.pid);
    assert.equal(isAlive(self), true);
    assert.equal(isAlive({ ...self, host: 'elsewhere' }), false);
    assert.equal(isAlive({ ...self, start: 'another boot:1' }), false);
  });
});
