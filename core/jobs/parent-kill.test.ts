import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { identify, isAlive } from '../store/processes.ts';
import { openWorkspace, readWorkspace } from '../store/workspace.ts';
import { startJob } from './client.ts';
import {
  temporaryFolder,
  tickingClock,
  toyInProcess,
  toyOptions,
  toyRequest,
  toyWorkspace,
} from './testing/toy-workspace.ts';

const Told = z.object({ runId: z.string(), jobPid: z.int(), type: z.string() });

/** A parent in its own process, and what it says first after `count` events. */
async function parentAfter(t: TestContext, dir: string, count: number) {
  const parent = fork(new URL('./testing/toy-parent.ts', import.meta.url), [dir], { execArgv: [] });
  t.after(() => void parent.kill('SIGKILL'));
  const told = await new Promise<z.infer<typeof Told>>((resolve) => {
    let seen = 0;
    parent.on('message', (message) => {
      seen += 1;
      if (seen === count) resolve(Told.parse(message));
    });
  });
  return { parent, ...told };
}

/** Kills the parent and waits until its job, which notices, has gone too. */
async function end(parent: ChildProcess, jobPid: number): Promise<void> {
  const job = identify(jobPid);
  const exit = once(parent, 'exit');
  parent.kill('SIGKILL');
  await exit;
  while (isAlive(job)) await setImmediate();
}

describe('two processes on one workspace', () => {
  it('let one write and the others read', async (t) => {
    const dir = temporaryFolder(t);
    const { parent, runId, jobPid } = await parentAfter(t, dir, 5);
    assert.throws(() => openWorkspace(dir, toyOptions(2)), {
      code: 'WORKSPACE_BUSY',
      message: new RegExp(`process ${parent.pid} on `),
    });
    const reader = readWorkspace(dir, toyOptions());
    t.after(() => reader.close());
    assert.equal(reader.getRun(runId).state, 'running');
    assert.equal(reader.listRuns().length, 1);
    assert.ok(reader.events(runId).length >= 5);
    await end(parent, jobPid);
  });
});

describe('a run whose parent is killed', () => {
  for (const count of [3, 20]) {
    it(`after ${count} events ends its job, is interrupted, and resumes to the same bits`, async (t) => {
      const straight = toyWorkspace(t);
      const request = toyRequest({ steps: 150, stepMs: 0 });
      const begin = { store: straight, runId: straight.createRun(request), resume: false, now: tickingClock() };
      const expected = await startJob({ ...begin, launch: toyInProcess() }).done;

      const dir = temporaryFolder(t);
      const { parent, runId, jobPid } = await parentAfter(t, dir, count);
      await end(parent, jobPid);

      const reader = readWorkspace(dir, toyOptions());
      assert.equal(reader.getRun(runId).state, 'interrupted');
      reader.close();
      const store = toyWorkspace(t, dir);
      const found = store.getRun(runId);
      assert.deepEqual([found.state, found.error?.code, found.resumable], ['interrupted', 'JOB_CRASHED', true]);
      const resumed = await startJob({ store, runId, resume: true, now: tickingClock(), launch: toyInProcess() }).done;
      assert.equal(resumed.state, 'succeeded');
      assert.deepEqual(resumed.metrics, expected.metrics);
      assert.deepEqual(resumed.artifacts, expected.artifacts);
      assert.deepEqual(store.series(runId), straight.series(expected.runId));
      assert.ok((store.jobs(runId)[1]?.resumedFromStep ?? 0) > 0);
    });
  }
});
