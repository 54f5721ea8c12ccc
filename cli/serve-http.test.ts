import assert from 'node:assert/strict';
import { rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { HostEvent } from '../core/contract/bridge.ts';
import { UploadReceipt } from '../core/contract/http.ts';
import { serveToy, type Ask, type Served } from './testing/serve-toy.ts';

const json = 'application/json';

const result = (text: string) => (JSON.parse(text) as { result: Record<string, string> }).result;

async function status({ send }: Served, ask: Ask): Promise<number> {
  return (await send(ask)).status;
}

const tokenAsk = ({ origin }: Served, token: unknown): Ask => ({
  method: 'POST',
  path: '/api/session',
  headers: { origin, 'content-type': json },
  body: JSON.stringify({ token }),
});

const walk = { methodId: 'walk', params: { steps: 6 }, models: {}, data: {} };

describe('the token', () => {
  it('opens one session, once, and no other token does', async (t) => {
    const served = await serveToy(t);
    const token = served.access.token();
    const wrong = [
      '',
      'x',
      token.slice(1),
      token.slice(0, -1),
      `${token}x`,
      ` ${token}`,
      token.toUpperCase(),
      `${token}\0`,
      'A'.repeat(32),
      '__proto__',
      'é'.repeat(16),
    ];
    for (const each of wrong) assert.equal(await status(served, tokenAsk(served, each)), 401, JSON.stringify(each));
    for (const each of [null, 3, [token], { token }, 'x'.repeat(300)]) {
      assert.equal(await status(served, tokenAsk(served, each)), 400, JSON.stringify(each));
    }
    const first = await served.send(tokenAsk(served, token));
    assert.equal(first.status, 200);
    assert.match(result(first.text)['session'] ?? '', /^[\w-]{32}$/);
    assert.equal(await status(served, tokenAsk(served, token)), 401);
  });

  it('is not a session, nor does a session open another one', async (t) => {
    const served = await serveToy(t);
    const token = served.access.token();
    const body = { name: 'queue.facts', params: {} };
    assert.equal((await served.post(token, '/api/request', body)).status, 401);
    const session = await served.open();
    assert.equal(await status(served, tokenAsk(served, session)), 401);
    assert.equal((await served.post(session, '/api/request', body)).status, 200);
  });

  it('for a further window comes from an open one', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const { text } = await served.post(session, '/api/request', { name: 'session.invite', params: {} });
    const token = new URL(result(text)['url'] ?? '').hash.slice('#token='.length);
    assert.equal(await status(served, tokenAsk(served, token)), 200);
  });
});

describe('a request without the right session', () => {
  const paths: Ask[] = [
    { method: 'POST', path: '/api/request' },
    { method: 'POST', path: '/api/upload?id=x&file=0&offset=0' },
    { path: '/api/events' },
    { path: `/api/artifact/${'a'.repeat(64)}` },
    { path: '/api/nothing' },
  ];
  const headers = ['', 'Bearer', 'Bearer ', 'Bearer x', `Bearer ${'A'.repeat(32)}`, `Basic ${'A'.repeat(32)}`];
  for (const ask of paths) {
    it(`is refused: ${ask.method ?? 'GET'} ${ask.path}`, async (t) => {
      const served = await serveToy(t);
      const session = await served.open();
      const near = [session.slice(1), `${session}x`, session.toUpperCase()].map((each) => `Bearer ${each}`);
      for (const authorization of [...headers, ...near, session]) {
        const given = { origin: served.origin, 'content-type': json, authorization };
        const reply = await served.send({ ...ask, headers: given, ...(ask.method === 'POST' ? { body: '{}' } : {}) });
        assert.equal(reply.status, 401, authorization);
        assert.equal((JSON.parse(reply.text) as { ok: boolean }).ok, false);
      }
    });
  }
});

describe('another host or origin', () => {
  it('is refused by every address, whatever else is right', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const { port } = served;
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      `127.0.0.1:${port}@evil.example`,
      '127.0.0.2',
      '0.0.0.0',
      '2130706433',
      'LOCALHOST',
    ]) {
      for (const path of ['/', '/api/events', '/link/x/y']) {
        const authorization = `Bearer ${session}`;
        assert.equal(await status(served, { path, headers: { host, authorization } }), 421, `${host} ${path}`);
      }
    }
    assert.equal(await status(served, { path: '/', headers: { host: `localhost:${port}` } }), 200);
    // The near end of a tunnel may have another port.
    assert.equal(await status(served, { path: '/', headers: { host: 'localhost:9000' } }), 200);
  });

  it('cannot call the interface from its pages', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const { port, origin } = served;
    const body = JSON.stringify({ name: 'queue.facts', params: {} });
    const post = (headers: Record<string, string>): Promise<number> =>
      status(served, {
        method: 'POST',
        path: '/api/request',
        headers: { 'content-type': json, authorization: `Bearer ${session}`, ...headers },
        body,
      });
    for (const wrong of [
      'http://evil.example',
      'null',
      `https://127.0.0.1:${port}`,
      `http://localhost:${port}`,
      `http://127.0.0.1:${port + 1}`,
      'http://127.0.0.1',
      `${origin}/`,
      `${origin}.evil.example`,
    ]) {
      assert.equal(await post({ origin: wrong }), 403, wrong);
    }
    assert.equal(await post({}), 403);
    for (const site of ['cross-site', 'same-site']) assert.equal(await post({ origin, 'sec-fetch-site': site }), 403);
    assert.equal(await post({ origin, 'sec-fetch-site': 'same-origin' }), 200);
    const token = { ...tokenAsk(served, served.access.token()), headers: { 'content-type': json } };
    assert.equal(await status(served, token), 403);
  });
});

describe('an address', () => {
  it('that leaves the folder of the interface, in any spelling, has nothing', async (t) => {
    const served = await serveToy(t);
    const folder = served.interfaceDir;
    symlinkSync(join(folder, '..', 'secret.txt'), join(folder, 'assets', 'outside.js'));
    symlinkSync(join(folder, '..'), join(folder, 'linked'));
    writeFileSync(join(folder, 'assets', '.hidden'), 'secret');
    for (const path of [
      '/../secret.txt',
      '/assets/../../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e%2fsecret.txt',
      '/..\\secret.txt',
      '/..%5csecret.txt',
      '/%252e%252e/secret.txt',
      '/assets/..%c0%af..%c0%afsecret.txt',
      '//secret.txt',
      '/./index.html',
      '/assets/',
      '/assets',
      '/index.html%00.js',
      '/etc/passwd',
      '/__proto__',
      '/constructor',
      '/assets/index-abc.js.map',
      '/assets/outside.js',
      '/linked/secret.txt',
      '/assets/.hidden',
      '/assets/deep/deeper.js',
      '/assets//index-abc.js',
      '/assets/index-abc.js/',
      '/assets/index-abc.js/../index-abc.js',
      '/ASSETS/index-abc.js',
      '/C:/secret.txt',
      '/assets\\index-abc.js',
      '/link/x/report.html',
      '/link/',
      '/link/../api/events',
    ]) {
      const reply = await served.send({ path });
      assert.equal(reply.status, 404, path);
      assert.doesNotMatch(reply.text, /^secret/);
    }
    assert.equal((await served.send({ path: '/assets/index-abc.js' })).text, 'export {};');
  });

  it('has what the last build has made, while the server runs', async (t) => {
    const served = await serveToy(t);
    const assets = join(served.interfaceDir, 'assets');
    rmSync(join(assets, 'index-abc.js'));
    writeFileSync(join(assets, 'index-def.js'), 'export const built = 2;');
    assert.equal((await served.send({ path: '/assets/index-abc.js' })).status, 404);
    assert.equal((await served.send({ path: '/assets/index-def.js' })).text, 'export const built = 2;');
  });

  it('answers to its method only', async (t) => {
    const served = await serveToy(t);
    const headers = { origin: served.origin, authorization: `Bearer ${await served.open()}`, 'content-type': json };
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE']) {
      assert.equal(await status(served, { method, path: '/', headers }), 405, method);
      assert.equal(await status(served, { method, path: '/api/events', headers }), 405, method);
    }
    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      for (const path of ['/api/request', '/api/session', '/api/upload']) {
        assert.equal(await status(served, { method, path, headers }), 405, `${method} ${path}`);
      }
    }
    const absolute = await served.send({ path: 'http://evil.example/', headers });
    assert.equal(absolute.status, 400);
  });

  it('of an artifact takes a hash and nothing else', async (t) => {
    const served = await serveToy(t);
    const authorization = `Bearer ${await served.open()}`;
    for (const name of ['', '..', '../../palimpsest.db', '%2e%2e/palimpsest.db', 'a'.repeat(64), 'A'.repeat(64)]) {
      const path = `/api/artifact/${name}`;
      assert.equal(await status(served, { path, headers: { authorization } }), 404, name);
    }
  });
});

describe('a body', () => {
  it('that is too large, of another kind, or no JSON is refused', async (t) => {
    const served = await serveToy(t);
    const { origin } = served;
    const authorization = `Bearer ${await served.open()}`;
    const send = (type: string, body: string | Uint8Array, path = '/api/request'): Promise<number> =>
      status(served, { method: 'POST', path, headers: { origin, authorization, 'content-type': type }, body });
    assert.equal(await send('text/plain', '{}'), 415);
    assert.equal(await send('application/x-www-form-urlencoded', 'a=b'), 415);
    assert.equal(await send(json, '{'), 400);
    assert.equal(await send(json, new Uint8Array([0x22, 0xff, 0x22])), 400);
    assert.equal(await send(json, '{"name":"queue.facts","params":{},"more":1}'), 400);
    assert.equal(await send(json, '[]'), 400);
    const announced = { origin, authorization, 'content-type': json, 'content-length': String(2 ** 33) };
    assert.equal(await status(served, { method: 'POST', path: '/api/request', headers: announced }), 413);
    assert.equal(await send('application/octet-stream', 'x', '/api/upload?id=x&file=-1&offset=0'), 400);
    assert.equal(await send('application/octet-stream', 'x', '/api/upload?id=x&file=0'), 400);
    assert.equal(await send(json, 'x', '/api/upload?id=x&file=0&offset=0'), 415);
  });

  it('of an upload arrives as it was sent', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const files = [{ path: 'a.onnx', sizeBytes: 3 }];
    const ask = async (name: string, params: unknown) =>
      result((await served.post(session, '/api/request', { name, params })).text);
    const { uploadId } = await ask('uploads.begin', { kind: 'model', files });
    const headers = {
      origin: served.origin,
      authorization: `Bearer ${session}`,
      'content-type': 'application/octet-stream',
    };
    const path = `/api/upload?id=${uploadId}&file=0&offset=0`;
    const reply = await served.send({ method: 'POST', path, headers, body: new Uint8Array([0, 255, 10]) });
    assert.equal(UploadReceipt.parse(result(reply.text)).receivedBytes, 3);
    assert.match((await ask('uploads.finish', { uploadId }))['path'] ?? '', /a\.onnx$/);
  });
});

describe('every answer', () => {
  it('forbids what a page of ours does not need, with a fresh nonce for each load', async (t) => {
    const served = await serveToy(t);
    const pages = [await served.send({ path: '/' }), await served.send({ path: '/' })];
    const nonces = pages.map(({ headers, text }) => {
      const policy = String(headers['content-security-policy']);
      const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-/);
      assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'$/);
      assert.doesNotMatch(policy, /unsafe|https?:|\*/);
      assert.ok(nonce.length >= 20 && text.includes(`content="${nonce}"`));
      return nonce;
    });
    assert.notEqual(nonces[0], nonces[1]);
    for (const path of ['/', '/assets/index-abc.js', '/nothing', '/api/events', '/link/x/y']) {
      const { headers } = await served.send({ path });
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.match(String(headers['content-security-policy']), /default-src 'none'/);
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.equal(headers['x-powered-by'], undefined);
    }
  });

  it('shows a report in a frame without scripts and without rights of our origin', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const started = await served.service.request('runs.start', { requests: [walk] });
    assert.ok(started.ok);
    const [runId] = (started.result as { runIds: string[] }).runIds;
    const { text } = await served.post(session, '/api/request', {
      name: 'links.create',
      params: { kind: 'report', runId },
    });
    const path = result(text)['url'] ?? '';
    const { headers, status: code, text: sent } = await served.send({ path });
    assert.equal(code, 200);
    assert.equal(Number(headers['content-length']), Buffer.byteLength(sent));
    assert.equal((await served.send({ path, method: 'HEAD' })).text, '');
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'self'; sandbox/);
    assert.doesNotMatch(String(headers['content-security-policy']), /script|allow-same-origin/);
  });
});

/** Reads the stream until an event is one that `isLast` knows; `onChunk` is called while it is not there. */
async function streamed(
  t: TestContext,
  { port }: Served,
  ask: { readonly session: string; readonly query: string },
  isLast: (event: HostEvent) => boolean,
  onChunk: () => void = () => undefined,
): Promise<HostEvent[]> {
  const events: HostEvent[] = [];
  const done = Promise.withResolvers<void>();
  const headers = { authorization: `Bearer ${ask.session}` };
  const stream = get({ host: '127.0.0.1', port, path: `/api/events${ask.query}`, headers });
  t.after(() => stream.destroy());
  stream.on('response', (response) => {
    let rest = '';
    response.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line !== '') events.push(JSON.parse(line) as HostEvent);
      if (events.some(isLast)) done.resolve();
      else onChunk();
    });
    response.on('error', () => {});
  });
  stream.on('error', () => {});
  await done.promise;
  return events;
}

describe('the stream of events', () => {
  it('gives a window that comes back what it missed, and then what comes, without a gap', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const { service } = served;
    const note = async (text: string): Promise<void> => {
      const answer = await service.request('runs.annotate', { runIds: [runId], note: text });
      assert.ok(answer.ok);
    };
    const started = await service.request('runs.start', { requests: [walk] });
    assert.ok(started.ok);
    const runId = (started.result as { runIds: string[] }).runIds[0] ?? '';
    await note('before');
    const events = await streamed(
      t,
      served,
      { session, query: `?host=${service.hostId}&after=0` },
      (event) => event.type === 'run' && event.row.note === 'after',
      () => void note('after'),
    );
    assert.deepEqual(
      events.map(({ seq }) => seq),
      events.map((_, i) => i + 1),
    );
    assert.ok(events.some((event) => event.type === 'run' && event.row.note === 'before'));
  });

  it('tells a new window first of all where it stands, so that a break loses nothing', async (t) => {
    const served = await serveToy(t);
    const session = await served.open();
    const { service } = served;
    const [first] = await streamed(t, served, { session, query: '' }, () => true);
    assert.deepEqual(first, { type: 'reset', hostId: service.hostId, seq: -1 });
    await service.request('runs.start', { requests: [walk] });
    const query = `?host=${service.hostId}&after=${first?.seq}`;
    const missed = await streamed(t, served, { session, query }, () => true);
    assert.equal(missed[0]?.seq, 0);
  });
});
