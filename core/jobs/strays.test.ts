import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import type { RunEvent } from '../contract/run.ts';
import type { Workspace } from '../store/workspace.ts';
import { watchStrays } from './strays.ts';
import { toyRequest, toyWorkspace } from './testing/toy-workspace.ts';

/** A job that its host has left behind: a process that does not end by itself. */
function leaveBehind(t: TestContext, workspace: Workspace): { runId: string; job: ChildProcess } {
  const runId = workspace.createRun(toyRequest());
  const job = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)']);
  t.after(() => job.kill('SIGKILL'));
  workspace.setJobProcess(workspace.createJob(runId), job.pid ?? 0);
  return { runId, job };
}

/** Watches, and resolves at the first event. */
function watch(t: TestContext, store: Workspace, graceMs: number): Promise<RunEvent> {
  const told = Promise.withResolvers<RunEvent>();
  t.after(watchStrays({ store, onEvent: told.resolve, lookEveryMs: 5, graceMs }));
  return told.promise;
}

describe('a job whose host was killed', () => {
  it('is interrupted when its process has gone, and no job of this host with it', async (t) => {
    const workspace = toyWorkspace(t);
    const { runId, job } = leaveBehind(t, workspace);
    const told = watch(t, workspace, 1e6);
    const ours = workspace.createRun(toyRequest());
    workspace.createJob(ours);
    job.kill('SIGKILL');
    const event = await told;
    assert.deepEqual([event.type, event.runId], ['finished', runId]);
    const run = workspace.getRun(runId);
    assert.deepEqual([run.state, run.error?.code, run.resumable], ['interrupted', 'JOB_CRASHED', true]);
    assert.equal(workspace.getRun(ours).state, 'queued');
  });

  it('is ended when it hangs', async (t) => {
    const workspace = toyWorkspace(t);
    const { job } = leaveBehind(t, workspace);
    const exit = once(job, 'exit');
    // Where the system does not tell when a process was started, a number alone is not enough to end one.
    if (process.platform !== 'linux') job.kill('SIGKILL');
    assert.equal((await watch(t, workspace, 1)).type, 'finished');
    assert.deepEqual(await exit, [null, 'SIGKILL']);
  });
});
