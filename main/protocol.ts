import { protocol, type Session } from 'electron';
import { toWorkbenchError } from '../core/base/errors.ts';
import { appHost, appScheme } from '../core/contract/channels.ts';
import { paths } from '../core/contract/http.ts';
import { openInterface, reportPolicy } from '../core/service/interface-files.ts';
import type { Host } from './host.ts';

/** Before the application is ready: our pages have an origin of their own, and none of a file's rights. */
export function declareScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

const closedPolicy = `default-src 'none'; frame-ancestors 'none'`;

/** `app://palimpsest/…`: the files of the interface, and what tickets lead to. Nothing else is there. */
export function serveInterface(session: Session, host: Pick<Host, 'service'>, folder: string): void {
  const fileAt = openInterface(folder, 'port');
  session.protocol.handle(appScheme, ({ url, method }) => {
    const { host: name, pathname } = new URL(url);
    if (name !== appHost || method !== 'GET') return refusal(method === 'GET' ? 404 : 405);
    if (pathname.startsWith(paths.link)) return whatever(async () => linked(host, pathname.slice(paths.link.length)));
    const file = fileAt(pathname);
    return file
      ? respond(new Uint8Array(file.bytes), { 'content-security-policy': closedPolicy, ...file.headers })
      : refusal(404);
  });
}

/** What cannot be made says why: the page or the download that asked has nobody else to hear it from. */
async function whatever(make: () => Promise<Response>): Promise<Response> {
  try {
    return await make();
  } catch (thrown) {
    const { message, hint } = toWorkbenchError(thrown);
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'content-security-policy': closedPolicy };
    return new Response([message, hint].filter(Boolean).join('\n'), { status: 500, headers });
  }
}

async function linked({ service }: Pick<Host, 'service'>, rest: string): Promise<Response> {
  const found = await service.openLink(rest.split('/')[0] ?? '');
  if (!found) return refusal(404);
  const { content, mediaType, fileName, isDownload } = found;
  const isReport = !isDownload && mediaType === 'text/html';
  // As fast as the other end takes it, and no further ahead.
  return respond(streamOf(content.pieces()), {
    'content-length': String(content.sizeBytes),
    'content-type': mediaType === 'text/html' ? 'text/html; charset=utf-8' : mediaType,
    'content-security-policy': isReport ? reportPolicy : closedPolicy,
    ...(isDownload
      ? { 'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(fileName).replaceAll("'", '%27')}` }
      : {}),
  });
}

const refusal = (status: number): Response =>
  new Response(null, { status, headers: { 'content-security-policy': closedPolicy } });

function streamOf(pieces: Iterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream(
    {
      pull(controller) {
        const next = iterator.next();
        if (next.done) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: () => void iterator.return?.(),
    },
    { highWaterMark: 0 },
  );
}

const respond = (body: BodyInit, headers: Readonly<Record<string, string>>): Response =>
  new Response(body, { headers: { 'x-content-type-options': 'nosniff', ...headers } });
