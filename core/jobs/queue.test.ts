import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import type { RunEvent, RunRecord } from '../contract/run.ts';
import type { Workspace } from '../store/workspace.ts';
import { openQueue, type QueueOptions, type RunQueue } from './queue.ts';
import { tickingClock, toyFork, toyInProcess, toyRequest, toyWorkspace } from './testing/toy-workspace.ts';

interface Setup {
  readonly workspace: Workspace;
  readonly queue: RunQueue;
  readonly events: RunEvent[];
  readonly ended: RunRecord[];
  add(params?: Record<string, unknown>): string;
  /** Resolves when nothing waits or runs, or the queue has halted. */
  rest(): Promise<void>;
}

function setUp(t: TestContext, options: Partial<QueueOptions> = {}): Setup {
  const workspace = toyWorkspace(t);
  const events: RunEvent[] = [];
  const ended: RunRecord[] = [];
  const watchers = new Set<() => void>();
  const queue = openQueue({
    store: workspace,
    now: tickingClock(),
    launch: toyInProcess(),
    onEvent: (event) => {
      events.push(event);
      for (const watcher of watchers) watcher();
    },
    onChange: () => {
      for (const watcher of watchers) watcher();
    },
    onEnded: (run) => ended.push(run),
    ...options,
  });
  return {
    workspace,
    queue,
    events,
    ended,
    add(params = {}) {
      const runId = workspace.createRun(toyRequest({ steps: 12, ...params }));
      queue.add(runId);
      return runId;
    },
    rest() {
      const done = Promise.withResolvers<void>();
      const look = (): void => {
        const { running, waiting, halted } = queue.facts();
        if (running.length === 0 && (waiting.length === 0 || halted !== null)) done.resolve();
      };
      watchers.add(look);
      look();
      return done.promise;
    },
  };
}

describe('the queue of runs', () => {
  it('computes one run after the other, in the order in which they came', async (t) => {
    const { add, queue, rest, events, ended } = setUp(t);
    const ids = [add(), add({ seed: 4 }), add({ seed: 5 })];
    assert.deepEqual([queue.facts().running, queue.facts().waiting], [[ids[0]], ids.slice(1)]);
    await rest();
    assert.deepEqual(
      ended.map((run) => [run.runId, run.state]),
      ids.map((id) => [id, 'succeeded']),
    );
    const edges = events.filter(({ type }) => type === 'started' || type === 'finished');
    assert.deepEqual(
      edges.map(({ runId, type }) => [runId, type]),
      ids.flatMap((id) => [
        [id, 'started'],
        [id, 'finished'],
      ]),
    );
  });

  it('goes on with the next run when one fails', async (t) => {
    const { add, rest, ended } = setUp(t);
    add({ behaviour: 'throws' });
    add();
    await rest();
    assert.deepEqual(
      ended.map((run) => run.state),
      ['failed', 'succeeded'],
    );
  });

  it('takes a waiting run off and keeps it as cancelled, able to start later', async (t) => {
    const { add, queue, rest, workspace } = setUp(t);
    add();
    const second = add();
    queue.cancel(second);
    assert.deepEqual(queue.facts().waiting, []);
    await rest();
    const run = workspace.getRun(second);
    assert.deepEqual([run.state, run.startedAtMs, run.resumable], ['cancelled', null, true]);
    queue.add(second);
    await rest();
    assert.equal(workspace.getRun(second).state, 'succeeded');
  });

  it('stops a running run, starts the next, and resumes the first behind it', async (t) => {
    const setup = setUp(t);
    const { add, queue, rest, workspace, ended } = setup;
    const first = add({ steps: 100_000 });
    const second = add();
    queue.cancel(first);
    await rest();
    assert.deepEqual(
      ended.map((run) => [run.runId, run.state]),
      [
        [first, 'cancelled'],
        [second, 'succeeded'],
      ],
    );
    assert.equal(workspace.getRun(first).resumable, true);
    queue.add(first);
    queue.cancel(first);
    await rest();
    assert.equal(workspace.jobs(first).length, 2);
  });

  it('refuses what waits already, has ended, or is not there', async (t) => {
    const { add, queue, rest } = setUp(t);
    const first = add();
    const second = add();
    assert.throws(() => queue.add(first), { code: 'RUN_STATE' });
    assert.throws(() => queue.add(second), { code: 'RUN_STATE', message: /waiting already/ });
    await rest();
    assert.throws(() => queue.add(first), { code: 'RUN_STATE' });
    assert.throws(() => queue.cancel(first), { code: 'RUN_STATE' });
    assert.throws(() => queue.add('20260101-000000-zzzz'), { code: 'RUN_UNKNOWN' });
  });

  it('halts after three crashes in five minutes and goes on when told to', async (t) => {
    const { add, queue, rest, ended } = setUp(t, { launch: toyFork });
    for (let i = 0; i < 3; i++) add({ behaviour: 'exits', steps: 4 });
    const last = add({ steps: 4 });
    await rest();
    assert.equal(ended.length, 3);
    assert.ok(ended.every((run) => run.state === 'interrupted' && run.error?.code === 'JOB_CRASHED'));
    const { halted, waiting } = queue.facts();
    assert.equal(halted?.error.code, 'JOB_CRASHED');
    assert.match(halted.error.message, /3 jobs crashed within five minutes/);
    assert.deepEqual(waiting, [last]);
    queue.continue();
    await rest();
    assert.equal(ended.at(-1)?.state, 'succeeded');
  });

  it('does not halt for crashes that lie further apart', async (t) => {
    let atMs = Date.UTC(2026, 10, 22);
    const { add, queue, rest, ended } = setUp(t, {
      launch: toyInProcess(),
      now: () => (atMs += 30_000),
    });
    for (let i = 0; i < 4; i++) add({ behaviour: 'loses-lane' });
    await rest();
    assert.deepEqual([ended.length, queue.facts().halted], [4, null]);
  });

  it('halts when the history cannot be written, and loses no waiting run', async (t) => {
    const workspace = toyWorkspace(t);
    const store = {
      ...workspace,
      appendEvent(event: RunEvent) {
        if (event.seq > 10) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
        return workspace.appendEvent(event);
      },
    };
    const { queue, rest } = setUp(t, { store });
    const ids = [0, 1].map(() => workspace.createRun(toyRequest()));
    for (const id of ids) queue.add(id);
    await rest();
    assert.notEqual(queue.facts().halted, null);
    assert.deepEqual(queue.facts().waiting, ids.slice(1));
  });

  it('ends what could not be ended before when it goes on after such a halt', async (t) => {
    const workspace = toyWorkspace(t);
    let isFull = true;
    const store = {
      ...workspace,
      appendEvent(event: RunEvent) {
        if (isFull && event.seq > 10) throw Object.assign(new Error('full'), { code: 'SQLITE_FULL' });
        return workspace.appendEvent(event);
      },
    };
    const { queue, rest, events } = setUp(t, { store, launch: toyFork });
    const runId = workspace.createRun(toyRequest({ steps: 100_000 }));
    queue.add(runId);
    await rest();
    assert.equal(workspace.getRun(runId).state, 'running');
    isFull = false;
    queue.continue();
    const run = workspace.getRun(runId);
    assert.deepEqual([run.state, run.resumable, events.at(-1)?.type], ['interrupted', true, 'finished']);
  });

  it('halts when a run says that the workspace cannot be written, before the others meet the same', async (t) => {
    const { add, queue, rest, workspace, ended } = setUp(t);
    const inTheWay = join(workspace.dir, 'artifacts');
    writeFileSync(inTheWay, '');
    const ids = [add(), add(), add()];
    await rest();
    assert.deepEqual(
      ended.map((run) => [run.state, run.error?.code]),
      [['interrupted', 'WORKSPACE_UNUSABLE']],
    );
    const { halted, waiting } = queue.facts();
    assert.deepEqual([halted?.error.code, waiting], ['WORKSPACE_UNUSABLE', ids.slice(1)]);
    rmSync(inTheWay);
    queue.continue();
    await rest();
    assert.deepEqual(
      ended.slice(1).map((run) => run.state),
      ['succeeded', 'succeeded'],
    );
  });

  for (const [what, fail] of [
    ['its process cannot be started', { launch: true }],
    ['its attempt cannot be written', { createJob: true }],
  ] as const) {
    it(`halts when ${what}, and starts the same run first when it goes on`, async (t) => {
      const workspace = toyWorkspace(t);
      const broken: { launch?: boolean; createJob?: boolean } = { ...fail };
      const { queue, rest, ended } = setUp(t, {
        store: {
          ...workspace,
          createJob(runId) {
            if (broken.createJob) throw new WorkbenchError('WORKSPACE_UNUSABLE', 'full');
            return workspace.createJob(runId);
          },
        },
        launch() {
          if (broken.launch) throw new Error('EMFILE');
          return toyInProcess()();
        },
      });
      const ids = [0, 1].map(() => workspace.createRun(toyRequest({ steps: 12 })));
      for (const id of ids) queue.add(id);
      assert.notEqual(queue.facts().halted, null);
      assert.deepEqual(queue.facts().waiting, ids);
      broken.launch = broken.createJob = false;
      queue.continue();
      await rest();
      assert.deepEqual(
        ended.map((run) => [run.runId, run.state]),
        ids.map((id) => [id, 'succeeded']),
      );
    });
  }

  it('lets nothing compute beside a measurement, and starts what waits after it', async (t) => {
    const { add, queue, rest, ended } = setUp(t);
    const gate = Promise.withResolvers<void>();
    const measuring = queue.alone(() => gate.promise);
    add();
    assert.deepEqual(queue.facts().running, []);
    await assert.rejects(
      queue.alone(async () => {}),
      { code: 'RUN_STATE' },
    );
    gate.resolve();
    await measuring;
    await rest();
    assert.equal(ended[0]?.state, 'succeeded');
  });

  it('interrupts what runs when it is closed, and leaves what waits in the history', async (t) => {
    const { add, queue, workspace } = setUp(t);
    const first = add({ steps: 100_000 });
    const second = add();
    await queue.close();
    assert.deepEqual([workspace.getRun(first).state, workspace.getRun(second).state], ['interrupted', 'queued']);
    assert.equal(workspace.getRun(first).resumable, true);
  });

  it('leaves a run cancelled that its user cancelled before it was closed', async (t) => {
    const { add, queue, workspace } = setUp(t);
    const first = add({ steps: 100_000 });
    queue.cancel(first);
    await queue.close();
    assert.equal(workspace.getRun(first).state, 'cancelled');
  });
});
