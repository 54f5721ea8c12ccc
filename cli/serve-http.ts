import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { WorkbenchError, type ErrorShape } from '../core/base/errors.ts';
import type { Answer } from '../core/contract/bridge.ts';
import { paths, RequestBody, SessionAsk } from '../core/contract/http.ts';
import { reportPolicy, type InterfaceFile } from '../core/service/interface-files.ts';
import type { Service } from '../core/service/service.ts';
import { chunkBytes } from '../core/service/uploads.ts';
import { isOwnHost, isOwnOrigin, type Access } from './serve-access.ts';
import { sendEvents } from './serve-events.ts';

export interface ServedThings {
  readonly service: Service;
  readonly access: Access;
  readonly staticFile: (path: string) => InterfaceFile | undefined;
}

/** A request that is refused before anything of it is done. */
class Refusal extends Error {
  readonly status: number;
  readonly shape: ErrorShape;
  constructor(status: number, message: string, hint?: string) {
    super(message);
    this.status = status;
    this.shape = { code: 'USAGE', message, ...(hint === undefined ? {} : { hint }) };
  }
}

const jsonLimitBytes = 4 * 2 ** 20;

const commonHeaders: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** For everything but pages of ours: nothing may be loaded or run by it. */
const closedPolicy = `default-src 'none'; frame-ancestors 'none'`;

/** The HTTP face of a service (core/contract/http.ts). Call `listen` with 127.0.0.1. */
export function createHttpServer(things: ServedThings): Server {
  const server = createServer({ requestTimeout: 60_000, headersTimeout: 10_000, maxHeaderSize: 16_384 });
  server.on('request', (request, response) => {
    void serve(request, response, things);
  });
  return server;
}

async function serve(request: IncomingMessage, response: ServerResponse, things: ServedThings): Promise<void> {
  for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value);
  response.setHeader('content-security-policy', closedPolicy);
  response.setHeader('cache-control', 'no-store');
  try {
    await route(request, response, things);
  } catch (thrown) {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const isRefusal = thrown instanceof Refusal;
    const error = isRefusal ? thrown.shape : errorOf(thrown);
    // What is left of a refused body is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    sendAnswer(response, isRefusal ? thrown.status : 500, { ok: false, error });
  }
}

const errorOf = (thrown: unknown): ErrorShape =>
  thrown instanceof WorkbenchError
    ? thrown.toShape()
    : { code: 'INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown) };

async function route(request: IncomingMessage, response: ServerResponse, things: ServedThings): Promise<void> {
  const { method = '', headers } = request;
  if (!isOwnHost(headers.host)) throw new Refusal(421, 'This server answers to 127.0.0.1 and localhost only');
  const [path, query] = splitTarget(request.url ?? '');
  if (path.startsWith('/api/')) {
    if (!isOwnOrigin(headers)) throw new Refusal(403, 'The request comes from another page');
    return routeApi(method, path, new URLSearchParams(query), request, response, things);
  }
  if (method !== 'GET' && method !== 'HEAD') throw new Refusal(405, `${method} is not possible here`);
  if (path.startsWith(paths.link)) return sendLink(path, method, response, things.service);
  const file = things.staticFile(path);
  if (!file) throw new Refusal(404, 'There is nothing at this address');
  response.writeHead(200, { ...file.headers, 'content-length': file.bytes.byteLength });
  response.end(method === 'HEAD' ? undefined : file.bytes);
}

/** As it was sent: nothing is decoded, so that there is only one way to name a thing. */
function splitTarget(target: string): readonly [string, string] {
  if (!target.startsWith('/')) throw new Refusal(400, 'Expected a path');
  const at = target.indexOf('?');
  return at === -1 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

async function routeApi(
  method: string,
  path: string,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
  { service, access }: ServedThings,
): Promise<void> {
  const expect = (wanted: string): void => {
    if (method !== wanted) throw new Refusal(405, `Expected ${wanted}, got ${method}`);
    // A page of ours says its origin with every POST; a form of another page cannot leave it out.
    if (wanted === 'POST' && request.headers.origin === undefined) throw new Refusal(403, 'The request has no origin');
  };
  if (path === paths.session) {
    expect('POST');
    const { token } = parse(SessionAsk, await readJson(request));
    const session = access.exchange(token);
    if (session === undefined) throw new Refusal(401, 'The token is wrong or was used before', newAddress);
    return sendAnswer(response, 200, { ok: true, result: { session, hostId: service.hostId } });
  }
  if (!access.admits(request.headers.authorization)) throw new Refusal(401, 'There is no such session', newAddress);
  switch (path) {
    case paths.request: {
      expect('POST');
      const { name, params } = parse(RequestBody, await readJson(request));
      return sendAnswer(response, 200, await service.request(name, params));
    }
    case paths.upload: {
      expect('POST');
      return sendAnswer(response, 200, await receive(request, query, service));
    }
    case paths.events: {
      expect('GET');
      return sendEvents(response, service, query);
    }
  }
  if (!path.startsWith(paths.artifact)) throw new Refusal(404, 'There is nothing at this address');
  expect('GET');
  const bytes = service.artifact(path.slice(paths.artifact.length));
  if (!bytes) throw new Refusal(404, 'There is no such artifact');
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': bytes.byteLength });
  response.end(bytes);
}

const newAddress = 'Open the address that `palimpsest serve` prints, or ask an open window for another one.';

async function receive(request: IncomingMessage, query: URLSearchParams, service: Service): Promise<Answer> {
  checkType(request, 'application/octet-stream');
  const file = wholeNumber(query, 'file');
  const offset = wholeNumber(query, 'offset');
  const bytes = await readBody(request, chunkBytes);
  try {
    return { ok: true, result: { receivedBytes: service.append(query.get('id') ?? '', file, offset, bytes) } };
  } catch (thrown) {
    return { ok: false, error: errorOf(thrown) };
  }
}

function wholeNumber(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal(400, `${name}: expected a whole number`);
}

async function sendLink(path: string, method: string, response: ServerResponse, service: Service): Promise<void> {
  const linked = await service.openLink(path.slice(paths.link.length).split('/')[0] ?? '');
  if (!linked)
    throw new Refusal(404, 'This link is not known or too old', 'Ask for it again on the page it came from.');
  const { content, mediaType, fileName, isDownload } = linked;
  const isReport = !isDownload && mediaType === 'text/html';
  response.writeHead(200, {
    'content-type': mediaType === 'text/html' ? 'text/html; charset=utf-8' : mediaType,
    'content-length': content.sizeBytes,
    ...(isReport ? { 'content-security-policy': reportPolicy } : {}),
    ...(isDownload ? { 'content-disposition': `attachment; filename*=UTF-8''${encodeName(fileName)}` } : {}),
  });
  if (method === 'HEAD') return void response.end();
  // As fast as the other end takes it, and no further ahead.
  await pipeline(Readable.from(content.pieces(), { objectMode: false }), response);
}

/** RFC 8187. */
const encodeName = (name: string): string =>
  encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

function sendAnswer(response: ServerResponse, status: number, answer: Answer): void {
  const bytes = Buffer.from(JSON.stringify(answer));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.byteLength });
  response.end(bytes);
}

function checkType(request: IncomingMessage, wanted: string): void {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== wanted) throw new Refusal(415, `Expected ${wanted}, got ${type ?? 'nothing'}`);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  checkType(request, 'application/json');
  const bytes = await readBody(request, jsonLimitBytes);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new Refusal(400, 'The body is no JSON');
  }
}

async function readBody(request: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  const tooLarge = (): Refusal => new Refusal(413, `Expected at most ${limitBytes} bytes`);
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.byteLength;
    if (size > limitBytes) throw tooLarge();
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function parse<T>(
  schema: { safeParse(value: unknown): { success: true; data: T } | { success: false; error: Error } },
  value: unknown,
): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Refusal(400, 'The body is not what the contract says');
}
