import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Who may talk to the server: one-time tokens that become sessions. Only hashes are kept. */
export interface Access {
  /** A fresh token, good for one exchange. */
  token(): string;
  /** A session for a token that was given out and not used yet; undefined for any other. */
  exchange(token: string): string | undefined;
  /** Does this Authorization header belong to a session? */
  admits(authorization: string | undefined): boolean;
}

/** Where hashes of sessions are kept, so that open pages go on when the server was started again. */
export interface SessionStore {
  read(): readonly string[];
  write(hashes: readonly string[]): void;
}

const kept = 100;

export function createAccess(store?: SessionStore): Access {
  const tokens: Buffer[] = [];
  const sessions = (store?.read() ?? []).slice(-kept).map((hash) => Buffer.from(hash, 'hex'));
  const give = (list: Buffer[]): string => {
    const secret = randomBytes(24).toString('base64url');
    list.push(digest(secret));
    if (list.length > kept) list.shift();
    return secret;
  };
  return {
    token: () => give(tokens),
    exchange(token) {
      const place = placeOf(tokens, token);
      if (place === -1) return undefined;
      tokens.splice(place, 1);
      const session = give(sessions);
      store?.write(sessions.map((hash) => hash.toString('hex')));
      return session;
    },
    admits(authorization) {
      const [, session] = /^Bearer ([\w-]{32})$/.exec(authorization ?? '') ?? [];
      return session !== undefined && placeOf(sessions, session) !== -1;
    },
  };
}

const digest = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Looks at every entry, so that the time says nothing about how near a guess is. */
function placeOf(list: readonly Buffer[], secret: string): number {
  const wanted = digest(secret);
  let place = -1;
  list.forEach((entry, i) => {
    if (timingSafeEqual(entry, wanted)) place = i;
  });
  return place;
}

/** Names of this machine for itself; any port, because a tunnel may have another one at its near end. */
const hostPattern = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/;

/** Is the Host header one that a page of ours has? A page of others that points its name to us has another one. */
export const isOwnHost = (host: string | undefined): boolean => host !== undefined && hostPattern.test(host);

/** Pages of ours send their own origin, or none with a GET; browsers that say where a fetch comes from must say "here". */
export function isOwnOrigin(headers: {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | readonly string[] | undefined;
}): boolean {
  const { host, origin, 'sec-fetch-site': site } = headers;
  if (origin !== undefined && origin !== `http://${host}`) return false;
  return site === undefined || site === 'same-origin' || site === 'none';
}
