import { z } from 'zod';

/**
 * How the contract travels over HTTP on the loopback. The page is opened as `http://127.0.0.1:PORT/#token=TOKEN`; the
 * page takes the token off its address and exchanges it, once, for a session, which it keeps in sessionStorage.
 *
 * - POST /api/session  `{token}` → Answer with `SessionGrant`
 * - POST /api/request  `{name, params}` → Answer. JSON both ways.
 * - POST /api/upload?id=UPLOAD&file=INDEX&offset=BYTES  octets, at most `chunkBytes` → Answer with `{receivedBytes}`
 * - GET /api/events?host=HOSTID&after=SEQ  → lines of JSON, a HostEvent each, for ever; an empty line every 15 s.
 *   Without `host` and `after` it starts with a reset, so that a break before the first event loses nothing either.
 * - GET /api/artifact/SHA256 → its bytes
 * - GET /link/TICKET/NAME → what `links.create` made a ticket for; needs no session
 *
 * All of /api but /session needs `Authorization: Bearer SESSION`. 401: no such session. Refusals carry an Answer, too.
 */
export const paths = {
  session: '/api/session',
  request: '/api/request',
  upload: '/api/upload',
  events: '/api/events',
  artifact: '/api/artifact/',
  link: '/link/',
} as const;

export const tokenParameter = 'token';

export const SessionAsk = z.strictObject({ token: z.string().max(200) });
export const SessionGrant = z.object({ session: z.string(), hostId: z.string() });
export const RequestBody = z.strictObject({ name: z.string().max(100), params: z.unknown() });
export const UploadReceipt = z.object({ receivedBytes: z.int() });
