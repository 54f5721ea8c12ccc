import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { stream } from '../base/rng.ts';
import { checkpointFolder } from '../contract/layout.ts';
import type { RunEvent, RunRecord } from '../contract/run.ts';
import type { Workspace } from '../store/workspace.ts';
import { startJob, type JobOptions } from './client.ts';
import type { JobExit } from './crash.ts';
import { launchJob, type JobProcess } from './launch.ts';
import {
  tickingClock,
  toyFork,
  toyInProcess,
  toyRequest,
  toyWorkspace,
  withoutOldProgress,
} from './testing/toy-workspace.ts';

/** So much work that a forked job cannot end before its parent reacts. */
const long = { steps: 150, stepMs: 4 };

type Options = Partial<JobOptions> & { readonly params?: Record<string, unknown> };

function begin(workspace: Workspace, { params, ...options }: Options = {}): { runId: string; start: JobOptions } {
  const runId = options.runId ?? workspace.createRun(toyRequest(params));
  return { runId, start: { store: workspace, runId, resume: false, now: tickingClock(), launch: toyFork, ...options } };
}

const newRun = (workspace: Workspace, options: Options = {}): Promise<RunRecord> =>
  startJob(begin(workspace, options).start).done;

const resume = (workspace: Workspace, runId: string, options: Options = {}): Promise<RunRecord> =>
  newRun(workspace, { ...options, runId, resume: true });

/** What a run came to, without when and where. */
function outcome(workspace: Workspace, { runId, state, error, metrics, artifacts }: RunRecord): unknown {
  return { state, error, metrics, artifacts, series: workspace.series(runId) };
}

function checkGapless(workspace: Workspace, runId: string): void {
  for (const { jobId } of workspace.jobs(runId)) {
    // Of progress only what was last is left.
    const events = workspace.events(runId, { jobId });
    const said = events.filter(({ type }) => type === 'progress').length;
    assert.ok(events.length > 0 && said <= 2, `${said}`);
    assert.ok(events.every(({ seq }, i) => seq > (events[i - 1]?.seq ?? -1)));
  }
}

/** Ends a job when `count` events have been stored. */
function afterEvents(count: number, action: () => void): (event: RunEvent) => void {
  let seen = 0;
  return () => {
    seen += 1;
    if (seen === count) action();
  };
}

async function straightOutcome(t: TestContext, params = {}): Promise<unknown> {
  const workspace = toyWorkspace(t);
  const run = await newRun(workspace, { params, launch: toyInProcess() });
  assert.equal(run.state, 'succeeded');
  return outcome(workspace, run);
}

describe('a job', () => {
  it('stores gapless events, metrics, artifacts and its environment, and leaves no checkpoints behind', async (t) => {
    const workspace = toyWorkspace(t);
    const forwarded: RunEvent[] = [];
    const run = await newRun(workspace, { onEvent: (event) => forwarded.push(event) });
    assert.equal(run.state, 'succeeded');
    assert.equal(workspace.series(run.runId)['distance']?.length, 60);
    assert.deepEqual(
      run.artifacts.map((artifact) => artifact.name),
      [9, 19, 29, 39, 49, 59].map((step) => `position-${step}`).concat('last', 'summary'),
    );
    for (const artifact of run.artifacts) assert.equal(workspace.readArtifact(artifact).byteLength, artifact.sizeBytes);
    checkGapless(workspace, run.runId);
    assert.deepEqual(
      forwarded.map(({ seq }) => seq),
      [...forwarded.keys()],
    );
    assert.deepEqual(workspace.events(run.runId), withoutOldProgress(forwarded));
    assert.equal(forwarded[0]?.type, 'started');
    assert.equal(forwarded.at(-1)?.type, 'finished');
    assert.equal(run.environment?.deviceUsed, 'cpu');
    assert.equal(run.environment?.onnxruntime, '1.29.0');
    assert.ok((workspace.jobs(run.runId)[0]?.peakMemoryBytes ?? 0) > 1e6);
    assert.equal(existsSync(join(workspace.dir, checkpointFolder(run.runId))), false);
  });

  it('gives the same bits when its process is killed again and again', async (t) => {
    const expected = await straightOutcome(t, { steps: long.steps });
    const workspace = toyWorkspace(t);
    // Slow enough that a parent on a busy machine sees events before the job is over.
    const { runId, start } = begin(workspace, { params: { ...long, stepMs: 20 } });
    const rng = stream(5, 'kills');
    let options = start;
    let kills = 0;
    for (;;) {
      const kill = (): boolean => kills < 5 && process.kill(handle.pid ?? 0, 'SIGKILL');
      const handle = startJob({ ...options, onEvent: afterEvents(2 + rng.int(12), kill) });
      const run = await handle.done;
      if (run.state === 'succeeded') break;
      kills += 1;
      assert.equal(run.state, 'interrupted');
      assert.equal(run.error?.code, 'JOB_CRASHED');
      assert.match(run.error.message, /SIGKILL/);
      assert.match(run.error.hint ?? '', /memory.*palimpsest resume/);
      options = { ...options, resume: true };
    }
    assert.ok(kills >= 3, `only ${kills} kills`);
    assert.deepEqual(outcome(workspace, workspace.getRun(runId)), expected);
    checkGapless(workspace, runId);
    assert.equal(workspace.getRun(runId).jobs, kills + 1);
  });

  it('answers a cancel with a checkpoint and goes on from there to the same bits', async (t) => {
    const expected = await straightOutcome(t, { steps: long.steps });
    const workspace = toyWorkspace(t);
    const { runId, start } = begin(workspace, { params: long });
    const handle = startJob({ ...start, onEvent: afterEvents(20, () => handle.cancel()) });
    const cancelled = await handle.done;
    assert.equal(cancelled.state, 'cancelled');
    assert.equal(cancelled.error?.code, 'CANCELLED');
    assert.equal(cancelled.resumable, true);
    const resumed = await resume(workspace, runId);
    assert.ok((workspace.jobs(runId)[1]?.resumedFromStep ?? 0) > 0);
    assert.deepEqual(outcome(workspace, resumed), expected);
  });

  it('clears away what a killed process had half-written', async (t) => {
    const workspace = toyWorkspace(t);
    const { runId, start } = begin(workspace, { params: { ...long, stepMs: 20 } });
    const folder = join(workspace.dir, checkpointFolder(runId));
    const halfWritten = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.tmp'));
    const killed = startJob({
      ...start,
      onEvent: afterEvents(8, () => {
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, '000099.json.1.tmp'), 'half');
        process.kill(killed.pid ?? 0, 'SIGKILL');
      }),
    });
    assert.equal((await killed.done).state, 'interrupted');
    assert.deepEqual(halfWritten(), []);
  });

  it('lets a cancel through to a method that never waits', async (t) => {
    const workspace = toyWorkspace(t);
    const { start } = begin(workspace, { params: { behaviour: 'fast', steps: 1_000_000 } });
    const handle = startJob({ ...start, onEvent: afterEvents(2, () => handle.cancel()) });
    assert.equal((await handle.done).state, 'cancelled');
  });

  it('is killed when it does not answer a cancel, says so and can be resumed', async (t) => {
    const workspace = toyWorkspace(t);
    const { runId, start } = begin(workspace, { params: { behaviour: 'hangs' }, cancelGraceMs: 30 });
    const handle = startJob({ ...start, onEvent: (event) => event.type === 'log' && handle.cancel() });
    const run = await handle.done;
    assert.equal(run.state, 'cancelled');
    assert.match(run.error?.message ?? '', /did not answer a cancel within .* s and was killed/);
    assert.equal(run.resumable, true);
    assert.ok(workspace.events(runId).some((event) => event.type === 'log' && event.level === 'warning'));
    checkGapless(workspace, runId);
  });

  it('whose process Ctrl-C ended before it could listen is cancelled, not crashed', async (t) => {
    const workspace = toyWorkspace(t);
    const exits = Promise.withResolvers<(exit: JobExit) => void>();
    const launch = (): JobProcess => ({
      pid: undefined,
      onStart: () => {},
      usage: async () => Promise.resolve(undefined),
      post: () => {},
      kill: () => {},
      onMessage: () => {},
      onExit: exits.resolve,
    });
    const { runId, start } = begin(workspace, { launch });
    const handle = startJob(start);
    handle.cancel();
    (await exits.promise)({ exitCode: null, signal: 'SIGINT', output: '' });
    const run = await handle.done;
    assert.deepEqual([run.state, run.error?.code, run.resumable], ['cancelled', 'CANCELLED', true]);
    assert.equal((await resume(workspace, runId, { launch: toyInProcess() })).state, 'succeeded');
  });

  it('may be cancelled before it has begun, and then begins at its beginning', async (t) => {
    const workspace = toyWorkspace(t);
    const { runId, start } = begin(workspace);
    const handle = startJob(start);
    handle.cancel();
    const run = await handle.done;
    assert.deepEqual([run.state, run.startedAtMs, run.resumable], ['cancelled', null, true]);
    assert.equal((await resume(workspace, runId, { launch: toyInProcess() })).state, 'succeeded');
  });

  for (const [behaviour, pattern] of [
    ['exits', /ended without a result \(exit code 7\)/],
    ['aborts', /crashed in native code \(SIGABRT\)|exit code 134/],
  ] as const) {
    it(`that ${behaviour} is reported as a crash and may be resumed`, async (t) => {
      const workspace = toyWorkspace(t);
      const run = await newRun(workspace, { params: { behaviour } });
      assert.equal(run.state, 'interrupted');
      assert.equal(run.error?.code, 'JOB_CRASHED');
      assert.match(run.error.message, pattern);
      assert.equal(run.resumable, true);
      checkGapless(workspace, run.runId);
    });
  }

  it('that throws is failed with its own error and cannot be resumed', async (t) => {
    const workspace = toyWorkspace(t);
    const run = await newRun(workspace, { params: { behaviour: 'throws' }, launch: toyInProcess() });
    assert.deepEqual([run.state, run.error?.code, run.resumable], ['failed', 'DATA_UNSUITABLE', false]);
    await assert.rejects(async () => resume(workspace, run.runId), { code: 'RUN_STATE' });
  });

  it('that loses a computing process is interrupted and can go on', async (t) => {
    const workspace = toyWorkspace(t);
    const run = await newRun(workspace, { params: { behaviour: 'loses-lane' }, launch: toyInProcess() });
    assert.deepEqual([run.state, run.error?.code, run.resumable], ['interrupted', 'JOB_CRASHED', true]);
  });

  it('stops at a metric that is not a number and names step and last value', async (t) => {
    const workspace = toyWorkspace(t);
    const run = await newRun(workspace, { params: { behaviour: 'diverges' }, launch: toyInProcess() });
    assert.equal(run.error?.code, 'NUMERIC_DIVERGED');
    assert.match(run.error.message, /"distance" became NaN at step 6; last finite value [\d.]+ at step 5/);
    assert.equal(workspace.series(run.runId)['distance']?.length, 6);
  });

  it('stores a result that is not a number as missing and says so', async (t) => {
    const workspace = toyWorkspace(t);
    const run = await newRun(workspace, { params: { behaviour: 'nan-result' }, launch: toyInProcess() });
    assert.equal(run.metrics['distance'], null);
    assert.ok(
      workspace.events(run.runId).some((event) => event.type === 'log' && /"distance" is NaN/.test(event.message)),
    );
  });

  it('is refused for wrong parameters, a missing device and an unknown method', async (t) => {
    const workspace = toyWorkspace(t);
    const wrong = await newRun(workspace, { params: { steps: -1 }, launch: toyInProcess() });
    assert.deepEqual([wrong.state, wrong.error?.code], ['failed', 'PARAM_INVALID']);
    assert.match(wrong.error?.message ?? '', /steps/);
    const cuda = workspace.createRun({ ...toyRequest(), device: 'cuda' });
    assert.equal((await newRun(workspace, { runId: cuda, launch: toyInProcess() })).error?.code, 'DEVICE_UNAVAILABLE');
    const other = workspace.createRun({ ...toyRequest(), methodId: 'constructor' });
    assert.equal((await newRun(workspace, { runId: other, launch: toyInProcess() })).error?.code, 'METHOD_UNKNOWN');
  });

  it('that cannot write its files is interrupted, and goes on to the same bits when it can', async (t) => {
    const expected = await straightOutcome(t);
    const workspace = toyWorkspace(t);
    const inTheWay = join(workspace.dir, 'artifacts');
    writeFileSync(inTheWay, '');
    const run = await newRun(workspace, { launch: toyInProcess() });
    assert.deepEqual([run.state, run.error?.code, run.resumable], ['interrupted', 'WORKSPACE_UNUSABLE', true]);
    rmSync(inTheWay);
    assert.deepEqual(outcome(workspace, await resume(workspace, run.runId, { launch: toyInProcess() })), expected);
  });

  it('runs under the real entry of the job process', async (t) => {
    const workspace = toyWorkspace(t);
    const run = await newRun(workspace, { launch: launchJob });
    assert.deepEqual([run.state, run.error?.code], ['failed', 'METHOD_UNKNOWN']);
  });
});

describe('resuming', () => {
  it('is refused for a finished run, and starting for one that has run', async (t) => {
    const workspace = toyWorkspace(t);
    const run = await newRun(workspace, { launch: toyInProcess() });
    assert.equal(run.state, 'succeeded');
    assert.throws(() => startJob(begin(workspace, { runId: run.runId, resume: true }).start), { code: 'RUN_STATE' });
    assert.throws(() => startJob(begin(workspace, { runId: run.runId }).start), { code: 'RUN_STATE' });
  });

  it('is refused when the model file has changed, and leaves the run as it was', async (t) => {
    const workspace = toyWorkspace(t);
    const path = join(workspace.dir, 'model.onnx');
    writeFileSync(path, 'one');
    const runId = workspace.createRun({ ...toyRequest(), models: { teacher: { kind: 'file', path } } });
    const launch = toyInProcess();
    const handle = startJob({
      ...begin(workspace, { runId, launch }).start,
      onEvent: afterEvents(5, () => handle.cancel()),
    });
    assert.equal((await handle.done).state, 'cancelled');
    writeFileSync(path, 'two');
    await assert.rejects(resume(workspace, runId, { launch }), {
      code: 'CHECKPOINT_STALE',
      message: /model "teacher"/,
    });
    assert.deepEqual([workspace.getRun(runId).state, workspace.getRun(runId).resumable], ['cancelled', true]);
    writeFileSync(path, 'one');
    assert.equal((await resume(workspace, runId, { launch })).state, 'succeeded');
  });

  it('falls back to the checkpoint before a damaged one and says so', async (t) => {
    const expected = await straightOutcome(t);
    const workspace = toyWorkspace(t);
    const { runId, start } = begin(workspace, { launch: toyInProcess() });
    const handle = startJob({ ...start, onEvent: afterEvents(25, () => handle.cancel()) });
    await handle.done;
    const folder = join(workspace.dir, checkpointFolder(runId));
    const newest =
      readdirSync(folder)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .at(-1) ?? '';
    writeFileSync(join(folder, newest), '{"sha256":"');
    assert.deepEqual(outcome(workspace, await resume(workspace, runId, { launch: toyInProcess() })), expected);
    assert.ok(workspace.events(runId).some((event) => event.type === 'log' && /damaged/.test(event.message)));
  });

  it('is refused while another job works on the run', async (t) => {
    const workspace = toyWorkspace(t);
    const { runId, start } = begin(workspace, { launch: toyInProcess() });
    const handle = startJob(start);
    assert.throws(() => startJob(start), { code: 'RUN_STATE' });
    await handle.done;
    assert.equal(workspace.getRun(runId).jobs, 1);
  });
});

describe('the parent of a job', () => {
  it('lets the job go on to its end when whoever is told of its events throws', async (t) => {
    const workspace = toyWorkspace(t);
    const onEvent = (): void => {
      throw new Error('Object has been destroyed');
    };
    const run = await newRun(workspace, { onEvent, launch: toyInProcess() });
    assert.deepEqual([run.state, run.error], ['succeeded', null]);
    checkGapless(workspace, run.runId);
  });

  it('ends the job and rejects when the history cannot be written', async (t) => {
    const workspace = toyWorkspace(t);
    const { start } = begin(workspace);
    const store = {
      ...workspace,
      appendEvent(event: RunEvent) {
        if (event.seq > 10) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
        return workspace.appendEvent(event);
      },
    };
    await assert.rejects(startJob({ ...start, store }).done, { message: 'full' });
  });
});
