import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { z } from 'zod';
import {
  HostEvent,
  requests,
  type RequestName,
  type RequestParams,
  type RequestResult,
} from '../core/contract/bridge.ts';
import { SessionGrant } from '../core/contract/http.ts';
import { toyInterface } from './testing/serve-toy.ts';
import { spawnCli, type Cli, type RunningCli } from './testing/spawn-cli.ts';

const Printed = z.object({ url: z.string(), port: z.int(), workspace: z.string() });

interface Page {
  readonly session: string;
  ask<K extends RequestName>(name: K, params: RequestParams<K>): Promise<RequestResult<K>>;
  /** Reads events until one for which `is` holds, then leaves. */
  until(is: (event: HostEvent) => boolean): Promise<void>;
}

/** Opens the printed address as a page does, or goes on with the session of one that was open before. */
async function openPage(server: RunningCli, kept?: string): Promise<Page> {
  const { url } = Printed.parse(JSON.parse(await server.firstLine()));
  const { origin, hash } = new URL(url);
  const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> => {
    const response = await fetch(`${origin}${path}`, {
      method: 'POST',
      headers: { origin, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const answer = z.object({ ok: z.literal(true), result: z.unknown() }).parse(await response.json());
    return answer.result;
  };
  const exchange = async (): Promise<string> =>
    SessionGrant.parse(await post('/api/session', { token: hash.slice('#token='.length) })).session;
  const session = kept ?? (await exchange());
  const headers = { authorization: `Bearer ${session}` };
  /** Lines of the stream as they come; whoever stops reading leaves. */
  async function* eventsOf(host: string): AsyncGenerator<HostEvent, void, void> {
    const response = await fetch(`${origin}/api/events?host=${host}&after=-1`, { headers });
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') yield HostEvent.parse(JSON.parse(line));
    }
  }
  const until = async (host: string, is: (event: HostEvent) => boolean): Promise<HostEvent> => {
    for await (const event of eventsOf(host)) if (is(event)) return event;
    throw new Error('the stream ended');
  };
  // A page that was open before knows another host, and is told to begin anew by the one there is now.
  const { hostId } = await until('another', (event) => event.type === 'reset');
  return {
    session,
    ask: async (name, params) =>
      requests[name].out.parse(await post('/api/request', { name, params }, headers)) as never,
    until: async (is) => void (await until(hostId, is)),
  };
}

const walk = (params: Record<string, unknown> = {}) => ({
  methodId: 'walk',
  params: { steps: 150, stepMs: 5, ...params },
  models: {},
  data: {},
});

const start = (cli: Cli, t: TestContext): RunningCli =>
  cli.start('serve', '--port', '0', '--json', '--workspace', 'w', '--interface', toyInterface(t));

async function startRun(page: Page, params: Record<string, unknown> = {}): Promise<string> {
  const { runIds } = await page.ask('runs.start', { requests: [walk(params)] });
  return runIds[0] ?? '';
}

const isCheckpoint = (event: HostEvent): boolean => event.type === 'job' && event.event.type === 'checkpoint';
const isFinished = (event: HostEvent): boolean => event.type === 'job' && event.event.type === 'finished';

describe('palimpsest serve', () => {
  it('goes on with a run when the page has closed', async (t) => {
    const server = start(spawnCli(t), t);
    const page = await openPage(server);
    const runId = await startRun(page, { steps: 40 });
    // The first stream is left before the run has ended; a later one finds out how it did.
    await page.until(isCheckpoint);
    await page.until(isFinished);
    assert.equal((await page.ask('runs.get', { runId })).record.state, 'succeeded');
  });

  it('killed and started again, has the history and resumes to the same bits as without', async (t) => {
    const cli = spawnCli(t);
    const killed = start(cli, t);
    const before = await openPage(killed);
    const runId = await startRun(before);
    await before.until(isCheckpoint);
    killed.signal('SIGKILL');
    await killed.ended;
    const page = await openPage(start(cli, t), before.session);
    const { record } = await page.ask('runs.get', { runId });
    assert.deepEqual([record.state, record.error?.code, record.resumable], ['interrupted', 'JOB_CRASHED', true]);
    await page.ask('runs.resume', { runId });
    await page.until(isFinished);
    const straight = await startRun(page, { stepMs: 0 });
    await page.until((event) => isFinished(event) && event.type === 'job' && event.event.runId === straight);
    const metrics = async (id: string) => (await page.ask('runs.get', { runId: id })).record.metrics;
    assert.deepEqual(await metrics(runId), await metrics(straight));
  });

  it('ended by Ctrl-C, stops the run at a safe point and says so', async (t) => {
    const cli = spawnCli(t);
    const server = start(cli, t);
    const page = await openPage(server);
    const runId = await startRun(page);
    await page.until(isCheckpoint);
    server.signal('SIGINT');
    const { code, err } = await server.ended;
    assert.equal(code, 0);
    assert.match(err, /stops at a safe point/);
    const { result } = await cli.json('show', runId, '--workspace', 'w');
    assert.deepEqual([result['state'], result['resumable']], ['interrupted', true]);
  });

  it('is refused on a workspace that another one serves, on a taken port, and without an interface', async (t) => {
    const cli = spawnCli(t);
    const first = start(cli, t);
    await first.firstLine();
    const second = await start(cli, t).ended;
    assert.equal(second.code, 7);
    assert.match(second.err, /is being written by process/);
    const taken = createServer();
    t.after(() => taken.close());
    taken.listen({ host: '127.0.0.1', port: 0 });
    await once(taken, 'listening');
    const address = taken.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const busy = await cli.run('serve', '--port', port, '--workspace', 'v', '--interface', toyInterface(t));
    assert.deepEqual([busy.code, /Cannot listen on port \d+/.test(busy.err)], [2, true]);
    const unbuilt = await cli.run('serve', '--port', '0', '--workspace', 'v', '--interface', cli.folder);
    assert.match(unbuilt.err, /The interface is not built.*/);
  });
});
