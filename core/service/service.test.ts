import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  requests,
  type HostEvent,
  type RequestName,
  type RequestParams,
  type RequestResult,
} from '../contract/bridge.ts';
import type { Environment } from '../contract/run.ts';
import { describeMachine } from '../jobs/environment.ts';
import { temporaryFolder, toyOptions, toyRequest, withoutOldProgress } from '../jobs/testing/toy-workspace.ts';
import { openWorkspace } from '../store/workspace.ts';
import type { Service } from './service.ts';
import { openToyService } from './testing/toy-service.ts';

interface Opened {
  readonly service: Service;
  readonly events: HostEvent[];
  ask<K extends RequestName>(name: K, params: RequestParams<K>): Promise<RequestResult<K>>;
  refused(name: string, params: unknown): Promise<{ code: string; message: string }>;
  /** Resolves at an event for which `is` holds, past or to come. */
  seen(is: (event: HostEvent) => boolean): Promise<void>;
  /** Resolves when run `runId` has ended. */
  ended(runId: string): Promise<void>;
}

function open(t: TestContext, dir = temporaryFolder(t), extra: Parameters<typeof openToyService>[1] = {}): Opened {
  const service = openToyService(dir, extra);
  t.after(() => service.close());
  const events: HostEvent[] = [];
  const watchers = new Set<() => void>();
  service.subscribe((event) => {
    events.push(event);
    for (const watcher of watchers) watcher();
  });
  const seen: Opened['seen'] = (is) => {
    const found = Promise.withResolvers<void>();
    const look = (): void => {
      if (events.some(is)) found.resolve();
    };
    watchers.add(look);
    look();
    return found.promise;
  };
  return {
    service,
    events,
    async ask(name, params) {
      const answer = await service.request(name, params);
      assert.ok(answer.ok, JSON.stringify(answer));
      return requests[name].out.parse(answer.result) as never;
    },
    async refused(name, params) {
      const answer = await service.request(name, params);
      assert.ok(!answer.ok);
      return answer.error;
    },
    seen,
    async ended(runId) {
      await seen((event) => event.type === 'run' && event.row.runId === runId && event.row.finishedAtMs !== null);
      await seen(() => {
        const last = events.findLast((event) => event.type === 'queue');
        return last?.queue.running.includes(runId) === false;
      });
    },
  };
}

const walk = (params: Record<string, unknown> = {}) => ({
  methodId: 'walk',
  params: { steps: 12, ...params },
  models: {},
  data: {},
});

async function start({ ask }: Opened, params: Record<string, unknown> = {}): Promise<string> {
  const { runIds } = await ask('runs.start', { requests: [walk(params)] });
  return runIds[0] ?? '';
}

describe('a service', () => {
  it('queues a run, computes it, tells everything without gaps and keeps its report', async (t) => {
    const opened = open(t);
    const { ask, events, ended } = opened;
    const runId = await start(opened);
    await ended(runId);
    assert.deepEqual(
      events.map(({ seq }) => seq),
      [...events.keys()],
    );
    const jobEvents = events.flatMap((event) => (event.type === 'job' ? [event.event] : []));
    assert.equal(jobEvents[0]?.type, 'started');
    assert.equal(jobEvents.at(-1)?.type, 'finished');
    const details = await ask('runs.get', { runId });
    assert.deepEqual([details.record.state, details.row.state], ['succeeded', 'succeeded']);
    assert.deepEqual(details.progress?.fraction, 1);
    assert.match(details.command ?? '', /^palimpsest run walk --steps 12 --seed 0/);
    const { events: stored } = await ask('runs.events', { runId });
    assert.deepEqual(stored, withoutOldProgress(jobEvents));
    assert.deepEqual(details.lastEvent?.seq, stored.at(-1)?.seq);
    const after = await ask('runs.events', { runId, afterSeq: 2, limit: 1 });
    assert.deepEqual([after.events[0]?.seq, after.hasMore], [3, true]);
    const kinds = await ask('runs.events', { runId, types: ['artifact', 'started'] });
    assert.deepEqual(new Set(kinds.events.map(({ type }) => type)), new Set(['artifact', 'started']));
    assert.equal((await ask('runs.series', { runId }))['distance']?.points.length, 12);
    assert.deepEqual(
      details.tables.map(({ title, total }) => [title, total]),
      [['Legs', 6]],
    );
    const { workspace } = await ask('machine.facts', {});
    assert.ok(existsSync(join(workspace.dir, 'runs', runId, 'report.html')));
  });

  it('gives a window that reloads in the middle exactly what it missed', async (t) => {
    const opened = open(t);
    const runId = await start(opened);
    const { service, events, ended } = opened;
    await ended(runId);
    const missed = service.eventsAfter(service.hostId, 4);
    assert.deepEqual(missed, events.slice(5));
    assert.equal(service.eventsAfter('another', 4)[0]?.type, 'reset');
  });

  it('ends the run of a host that was killed as soon as its job has gone, and tells the windows', async (t) => {
    const dir = temporaryFolder(t);
    const before = openWorkspace(dir, toyOptions());
    const runId = before.createRun(toyRequest());
    const jobId = before.createJob(runId);
    const job = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e9)']);
    t.after(() => job.kill('SIGKILL'));
    before.setJobProcess(jobId, job.pid ?? 0);
    const environment: Environment = {
      ...describeMachine(),
      deviceAsked: 'cpu',
      deviceUsed: 'cpu',
      threads: 1,
      models: {},
      data: {},
    };
    before.appendEvent({ type: 'started', runId, jobId, seq: 0, atMs: 0, environment });
    before.close();
    const { ask, seen } = open(t, dir);
    assert.equal((await ask('runs.get', { runId })).record.state, 'running');
    job.kill('SIGKILL');
    await seen((event) => event.type === 'run' && event.row.runId === runId && event.row.state === 'interrupted');
    assert.equal((await ask('runs.get', { runId })).record.resumable, true);
  });

  it('starts several runs as a group, and none when one of them is wrong', async (t) => {
    const opened = open(t);
    const wrong = await opened.refused('runs.start', { requests: [walk(), walk({ steps: -1 })] });
    assert.equal(wrong.code, 'PARAM_INVALID');
    assert.match(wrong.message, /Run 2 of 2 cannot be started: Steps: expected a whole number/);
    assert.equal((await opened.ask('runs.list', {})).total, 0);
    const { runIds, groupId } = await opened.ask('runs.start', {
      requests: [walk({ seed: 1 }), walk({ seed: 2 })],
      note: 'two seeds',
    });
    const { rows } = await opened.ask('runs.list', { groupId: groupId ?? '' });
    assert.deepEqual(
      rows.map((row) => [row.runId, row.note]),
      runIds.toReversed().map((id) => [id, 'two seeds']),
    );
    await opened.ended(runIds[1] ?? '');
  });

  it('cancels, resumes, trashes, restores and deletes', async (t) => {
    const opened = open(t);
    const { ask, refused, seen, ended } = opened;
    const runId = await start(opened, { steps: 100_000 });
    await seen((event) => event.type === 'job' && event.event.type === 'checkpoint');
    assert.equal((await refused('runs.trash', { runIds: [runId] })).code, 'RUN_STATE');
    await ask('runs.cancel', { runId });
    await ended(runId);
    await ask('runs.trash', { runIds: [runId] });
    assert.equal((await ask('runs.list', { isTrash: true })).total, 1);
    await ask('runs.resume', { runId });
    assert.equal((await ask('runs.list', {})).total, 1);
    await ask('runs.cancel', { runId });
    await seen((event) => event.type === 'job' && event.event.type === 'finished' && event.event.jobId.endsWith('.2'));
    await ended(runId);
    await ask('runs.annotate', { runIds: [runId], addTags: ['x'], note: 'n' });
    assert.deepEqual(await ask('runs.tags', {}), [{ tag: 'x', count: 1 }]);
  });

  it('tells a run that is paused from one that was given up, until it goes on', async (t) => {
    const opened = open(t);
    const { ask, seen, ended } = opened;
    const runId = await start(opened, { steps: 100_000 });
    const waiting = await start(opened, { steps: 100_000 });
    await seen((event) => event.type === 'job' && event.event.type === 'checkpoint');
    await ask('runs.pause', { runId });
    await ask('runs.cancel', { runId: waiting });
    await ended(runId);
    const rows = async () =>
      new Map((await ask('runs.list', {})).rows.map((row) => [row.runId, [row.state, row.isPaused, row.resumable]]));
    assert.deepEqual((await rows()).get(runId), ['cancelled', true, true]);
    assert.deepEqual((await rows()).get(waiting), ['cancelled', false, true]);
    assert.deepEqual(await ask('runs.progress', {}), {});
    await ask('runs.resume', { runId });
    await seen((event) => event.type === 'job' && event.event.type === 'started' && event.event.jobId.endsWith('.2'));
    assert.deepEqual((await rows()).get(runId), ['running', false, false]);
    const { progress } = await ask('runs.get', { runId });
    assert.ok((progress?.step ?? 0) > 0, 'a resumed run starts from what it had reached');
    assert.ok(((await ask('runs.progress', {}))[runId]?.step ?? 0) >= (progress?.step ?? 0));
    await ask('runs.cancel', { runId });
    await seen((event) => event.type === 'job' && event.event.type === 'finished' && event.event.jobId.endsWith('.2'));
    assert.deepEqual((await rows()).get(runId)?.[1], false);
  });

  it('takes up again what was queued when it was closed', async (t) => {
    const dir = temporaryFolder(t);
    const first = open(t, dir);
    const running = await start(first, { steps: 100_000 });
    const waiting = await start(first);
    assert.equal((await first.ask('runs.get', { runId: waiting })).queuePosition, 0);
    await first.service.close();
    const second = open(t, dir);
    await second.ended(waiting);
    const { rows } = await second.ask('runs.list', {});
    const found = new Map(rows.map(({ runId, state, resumable }) => [runId, [state, resumable]]));
    assert.deepEqual(found.get(waiting), ['succeeded', false]);
    assert.deepEqual(found.get(running), ['interrupted', true]);
  });

  it('says field by field what is wrong with a form', async (t) => {
    const { ask } = open(t);
    const unknown = await ask('runs.assess', { ...walk(), methodId: 'nothing' });
    assert.deepEqual(
      unknown.complaints.map(({ field }) => field),
      ['methodId'],
    );
    const wrong = await ask('runs.assess', {
      ...walk({ steps: 0, seed: 'x' }),
      models: { no: { kind: 'zoo', architecture: 'x' } },
    });
    assert.deepEqual(
      wrong.complaints.map(({ field }) => field),
      ['steps', 'seed', 'models.no'],
    );
    assert.equal(wrong.request, null);
    const right = await ask('runs.assess', walk());
    assert.deepEqual([right.complaints, right.request?.params['seed']], [[], 0]);
  });

  it('estimates from what runs like it took here, scaled by their work, and says why it cannot tell before', async (t) => {
    const opened = open(t);
    const estimate = async (params: Record<string, unknown>) =>
      (await opened.ask('runs.assess', walk(params))).estimate;
    const untold = async (params: Record<string, unknown>) => {
      const { time, basis } = (await estimate(params)) ?? assert.fail();
      assert.equal(time, null);
      assert.match(basis, /cannot be told/);
    };
    await untold({});
    await opened.ended(await start(opened, { seed: 5 }));
    const same = await estimate({});
    const twice = await estimate({ steps: 24 });
    assert.ok((same?.time?.likelyMs ?? 0) > 0 && (same?.diskBytes ?? 0) > 0);
    assert.equal(twice?.time?.likelyMs, 2 * (same?.time?.likelyMs ?? 0));
    assert.ok((twice?.time?.lowMs ?? 0) < (twice?.time?.likelyMs ?? 0));
    assert.match(`${same?.basis}; ${twice?.basis}`, /^From one run like it here; Scaled from one run/);
    await untold({ behaviour: 'fast' });
    await untold({ steps: 12 * 21 });
  });

  it('refuses unknown requests and parameters that are not in the contract', async (t) => {
    const { refused } = open(t);
    for (const name of ['nothing', 'constructor', '__proto__', 'toString', 'runs']) {
      assert.equal((await refused(name, {})).code, 'USAGE');
    }
    for (const params of [undefined, null, 3, 'x', [], { runId: 3 }, { runId: 'x', more: 1 }]) {
      assert.equal((await refused('runs.get', params)).code, 'USAGE');
    }
    assert.equal((await refused('runs.get', { runId: 'x' })).code, 'RUN_UNKNOWN');
    assert.equal((await refused('session.invite', {})).code, 'USAGE');
    assert.equal((await refused('runs.cancel', { runId: '../../x' })).code, 'RUN_UNKNOWN');
  });

  it('gives tickets for reports, artifacts and exports, which open nothing else', async (t) => {
    const opened = open(t);
    const runId = await start(opened);
    await opened.ended(runId);
    const linked = async (target: RequestParams<'links.create'>) => {
      const { url } = await opened.ask('links.create', target);
      return opened.service.openLink(url.split('/')[2] ?? '');
    };
    const report = await linked({ kind: 'report', runId });
    assert.deepEqual([report?.mediaType, report?.isDownload, report?.fileName], ['text/html', false, `${runId}.html`]);
    assert.equal((await linked({ kind: 'export', runId, format: 'sarif' }))?.fileName, `palimpsest-${runId}.sarif`);
    assert.equal((await linked({ kind: 'export', runId, format: 'all' }))?.mediaType, 'application/zip');
    assert.equal((await linked({ kind: 'artifact', runId, name: 'last' }))?.content.sizeBytes, 64);
    assert.equal(await opened.service.openLink('x'), undefined);
    assert.equal((await opened.refused('links.create', { kind: 'artifact', runId, name: 'no' })).code, 'USAGE');
    const [artifact] = (await opened.ask('runs.get', { runId })).record.artifacts;
    assert.equal(opened.service.artifact(artifact?.sha256 ?? '')?.byteLength, artifact?.sizeBytes);
    assert.equal(opened.service.artifact('../../palimpsest.db'), undefined);
    assert.equal(opened.service.artifact('a'.repeat(64)), undefined);
  });

  it('prints a report where its host can, by the report’s own link', async (t) => {
    const opened = open(t, temporaryFolder(t), {
      printPdf: async (url) => {
        const page = await opened.service.openLink(url.split('/')[2] ?? '');
        return new TextEncoder().encode(`${page?.mediaType} ${page?.fileName}`);
      },
    });
    const runId = await start(opened);
    await opened.ended(runId);
    const { url } = await opened.ask('links.createPdf', { runId });
    const pdf = await opened.service.openLink(url.split('/')[2] ?? '');
    assert.deepEqual(
      [pdf?.mediaType, pdf?.isDownload, pdf?.fileName],
      ['application/pdf', true, `palimpsest-${runId}.pdf`],
    );
    assert.equal(Buffer.concat([...(pdf?.content.pieces() ?? [])]).toString(), `text/html ${runId}.html`);
    assert.equal((await opened.refused('links.createPdf', { runId: 'no-such-run' })).code, 'RUN_UNKNOWN');
  });

  it('says that it cannot print where its host cannot', async (t) => {
    const opened = open(t);
    const error = await opened.refused('links.createPdf', { runId: await start(opened) });
    assert.match(error.message, /cannot print/);
  });
});

describe('files that a window sends', () => {
  const text = (of: string): Uint8Array => new TextEncoder().encode(of);

  it('end up under the workspace by content, once', async (t) => {
    const { ask, service } = open(t);
    const send = async () => {
      const files = [
        { path: 'cats/1.png', sizeBytes: 4 },
        { path: 'dogs/1.png', sizeBytes: 0 },
      ];
      const { uploadId } = await ask('uploads.begin', { kind: 'data', files });
      assert.equal(service.append(uploadId, 0, 0, text('ab')), 2);
      assert.equal(service.append(uploadId, 0, 2, text('cd')), 4);
      return ask('uploads.finish', { uploadId });
    };
    const first = await send();
    assert.equal(readFileSync(join(first.path, 'cats', '1.png'), 'utf8'), 'abcd');
    assert.deepEqual(await send(), { ...first, isDuplicate: true });
  });

  it('cannot leave their folder, nor be larger or smaller than was said', async (t) => {
    const { ask, refused, service } = open(t);
    for (const path of ['../x', '/x', 'a/../x', 'a\\b', 'C:x', '.x', 'a//b', 'nul', 'a\u0000', 'x.', 'a/.git/x', '']) {
      const error = await refused('uploads.begin', { kind: 'model', files: [{ path, sizeBytes: 1 }] });
      assert.equal(error.code, 'USAGE', path);
    }
    const twice = ['A.onnx', 'a.onnx'].map((path) => ({ path, sizeBytes: 1 }));
    assert.equal((await refused('uploads.begin', { kind: 'model', files: twice })).code, 'USAGE');
    const huge = [{ path: 'a.onnx', sizeBytes: 2 ** 50 }];
    assert.equal((await refused('uploads.begin', { kind: 'model', files: huge })).code, 'WORKSPACE_UNUSABLE');
    const { uploadId } = await ask('uploads.begin', { kind: 'model', files: [{ path: 'a.onnx', sizeBytes: 3 }] });
    assert.throws(() => service.append(uploadId, 0, 1, text('b')), { code: 'USAGE' });
    assert.throws(() => service.append(uploadId, 1, 0, text('b')), { code: 'USAGE' });
    assert.throws(() => service.append(uploadId, 0, 0, text('abcd')), { code: 'USAGE' });
    assert.throws(() => service.append('other', 0, 0, text('a')), { code: 'USAGE' });
    service.append(uploadId, 0, 0, text('ab'));
    assert.match((await refused('uploads.finish', { uploadId })).message, /expected 3 bytes, got 2/);
    await ask('uploads.abort', { uploadId });
    assert.equal((await refused('uploads.finish', { uploadId })).code, 'USAGE');
  });

  it('that a killed host left half-way are gone when the next one opens', async (t) => {
    const dir = temporaryFolder(t);
    mkdirSync(join(dir, 'uploads', 'partial', 'x'), { recursive: true });
    writeFileSync(join(dir, 'uploads', 'partial', 'x', 'half'), '');
    open(t, dir);
    assert.equal(existsSync(join(dir, 'uploads', 'partial')), false);
  });
});
