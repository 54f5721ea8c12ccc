import { mkdirSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { request } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../core/jobs/testing/toy-workspace.ts';
import { openInterface } from '../../core/service/interface-files.ts';
import type { Service } from '../../core/service/service.ts';
import { openToyService } from '../../core/service/testing/toy-service.ts';
import { createAccess, type Access } from '../serve-access.ts';
import { createHttpServer } from '../serve-http.ts';

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  /** Sent as it is: nothing is made regular on the way. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Served {
  readonly service: Service;
  readonly access: Access;
  readonly port: number;
  readonly origin: string;
  /** Folder of the built interface. */
  readonly interfaceDir: string;
  send(ask: Ask): Promise<Reply>;
  /** As a page with a session does it. */
  post(session: string, path: string, body: unknown): Promise<Reply>;
  open(): Promise<string>;
}

/** A folder with a small built interface in it, and a secret beside it. */
export function toyInterface(t: TestContext): string {
  const folder = join(temporaryFolder(t), 'renderer');
  mkdirSync(join(folder, 'assets'), { recursive: true });
  writeFileSync(join(folder, 'index.html'), '<meta name="csp-nonce" content="__CSP_NONCE__">');
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {};');
  writeFileSync(join(folder, 'assets', 'index-abc.js.map'), '{}');
  writeFileSync(join(folder, '..', 'secret.txt'), 'secret');
  return folder;
}

/** The server with toy methods, in this process, on a free port. */
export async function serveToy(t: TestContext): Promise<Served> {
  const dir = temporaryFolder(t);
  const access = createAccess();
  const service = openToyService(dir, { invite: () => `http://127.0.0.1/#token=${access.token()}` });
  const interfaceDir = toyInterface(t);
  const server = createHttpServer({ service, access, staticFile: openInterface(interfaceDir, 'http') });
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    await service.close();
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const origin = `http://127.0.0.1:${port}`;
  const send = ({ method = 'GET', path, headers = {}, body }: Ask): Promise<Reply> => {
    const reply = Promise.withResolvers<Reply>();
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        reply.resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    asked.on('error', reply.reject);
    asked.end(body);
    return reply.promise;
  };
  const json = { origin, 'content-type': 'application/json' };
  return {
    service,
    access,
    port,
    origin,
    interfaceDir,
    send,
    post: (session, path, body) =>
      send({
        method: 'POST',
        path,
        headers: { ...json, authorization: `Bearer ${session}` },
        body: JSON.stringify(body),
      }),
    async open() {
      const body = JSON.stringify({ token: access.token() });
      const { text } = await send({ method: 'POST', path: '/api/session', headers: json, body });
      return (JSON.parse(text) as { result: { session: string } }).result.session;
    },
  };
}
