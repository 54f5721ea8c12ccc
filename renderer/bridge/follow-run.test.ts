import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { WorkbenchError } from '../../core/base/errors.ts';
import { requests, type HostEvent, type RequestName, type RequestResult } from '../../core/contract/bridge.ts';
import { followRun, type KnownRun } from './follow-run.ts';
import { toyDetails } from './testing/toy-details.ts';

/** A run on a host whose answers are held back, refused and given by hand; time passes by `pass`. */
function followed(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const host = { fails: false, loads: 0, held: Promise.resolve() };
  const listeners = new Set<(event: HostEvent) => void>();
  const answers: Partial<Record<RequestName, unknown>> = {
    'runs.get': toyDetails(),
    'runs.series': {},
    'runs.events': { events: [], hasMore: false },
  };
  const shown: KnownRun[] = [];
  const run = followRun(
    {
      async request<K extends RequestName>(name: K): Promise<RequestResult<K>> {
        if (name === 'runs.get') host.loads++;
        await host.held;
        if (host.fails) throw new WorkbenchError('INTERNAL', 'The workbench does not answer');
        return requests[name].out.parse(answers[name]) as RequestResult<K>;
      },
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    'r',
    (known) => shown.push(known),
  );
  const tell = (event: HostEvent): void => listeners.forEach((listener) => listener(event));
  const envelope = { hostId: 'h', seq: 0 };
  return {
    host,
    run,
    last: () => shown.at(-1),
    step: () => shown.at(-1)?.view?.details.progress?.step,
    isLeft: () => listeners.size === 0,
    change: () => tell({ ...envelope, type: 'run', row: toyDetails().row }),
    advance: (step: number) => {
      const job = { runId: 'r', jobId: 'j', seq: step, atMs: step };
      tell({
        ...envelope,
        type: 'job',
        event: { ...job, type: 'progress', phase: 'train', step, totalSteps: 9, fraction: step / 9 },
      });
    },
    async pass(ms: number): Promise<void> {
      await setImmediate();
      t.mock.timers.tick(ms);
      await setImmediate();
    },
  };
}

describe('a run that is followed', () => {
  it('is loaded, carried on by events, and loaded once for changes that come together', async (t) => {
    const { host, advance, change, pass, step } = followed(t);
    await pass(0);
    advance(1);
    advance(2);
    await pass(100);
    assert.equal(step(), 2);
    change();
    change();
    await pass(100);
    assert.equal(host.loads, 2);
  });

  it('goes on with the events that come while it is loaded anew', async (t) => {
    const { host, advance, change, pass, step } = followed(t);
    await pass(0);
    const { promise, resolve } = Promise.withResolvers<void>();
    host.held = promise;
    change();
    await pass(100);
    advance(3);
    await pass(100);
    assert.equal(step(), 3);
    resolve();
    await pass(0);
    assert.equal(step(), 3);
  });

  it('goes on when loading it anew fails, says so, and tries again later and later until it works', async (t) => {
    const { host, advance, change, pass, step, last } = followed(t);
    await pass(0);
    host.fails = true;
    change();
    await pass(100);
    assert.match(last()?.error?.message ?? '', /does not answer/);
    advance(4);
    await pass(100);
    assert.equal(step(), 4);
    assert.ok(last()?.error);
    assert.equal(host.loads, 2);
    await pass(900);
    assert.equal(host.loads, 3);
    await pass(1000);
    assert.equal(host.loads, 3);
    host.fails = false;
    await pass(1000);
    assert.equal(host.loads, 4);
    assert.equal(last()?.error, undefined);
    await pass(60_000);
    assert.equal(host.loads, 4);
  });

  it('is asked for again when a change comes while the answer is on its way', async (t) => {
    const { host, run, pass } = followed(t);
    run.reload();
    await pass(0);
    assert.equal(host.loads, 2);
  });

  it('is left alone after the end', async (t) => {
    const { host, run, last, pass, isLeft } = followed(t);
    host.fails = true;
    run.stop();
    await pass(60_000);
    assert.ok(isLeft());
    assert.equal(host.loads, 1);
    assert.equal(last(), undefined);
  });
});
