import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { WorkbenchError } from '../base/errors.ts';

/** A file of the interface as it is sent. */
export interface InterfaceFile {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const nonceMark = '__CSP_NONCE__';

/** A report in a frame: its own styles and pictures, no scripts, and no rights of our origin. */
export const reportPolicy = `default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox allow-popups`;

/** How a window reaches its host: by requests to where it came from, or by a port that needs none. */
export type Reach = 'http' | 'port';

/** What a page of ours may do: nothing but talk to us. `nonce` is for the style sheets that the interface makes. */
const contentPolicy = (nonce: string, reach: Reach): string =>
  [
    `default-src 'none'`,
    `script-src 'self'`,
    `style-src 'self' 'nonce-${nonce}'`,
    `img-src 'self' data: blob:`,
    `font-src 'self'`,
    `connect-src ${reach === 'http' ? "'self'" : "'none'"}`,
    `worker-src 'self'`,
    `frame-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
    `require-trusted-types-for 'script'`,
  ].join('; ');

/** Names as the build makes them, a folder or none before them: no other spelling ever reaches the file system. */
const ownPath = /^(\/[A-Za-z0-9_][\w-]*)?\/[A-Za-z0-9_][\w.-]*$/;

/**
 * The built interface, read when it is asked for: it may be built anew meanwhile.
 * @throws WORKSPACE_UNUSABLE when it was not built
 */
export function openInterface(folder: string, reach: Reach): (path: string) => InterfaceFile | undefined {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new WorkbenchError('WORKSPACE_UNUSABLE', `The interface is not built: there is no index.html in ${folder}`, {
      hint: 'Run `npm start`, which builds it first.',
    });
  }
  return (asked) => {
    const path = asked === '/' ? '/index.html' : asked;
    const bytes = ownPath.test(path) && !path.endsWith('.map') ? readInside(folder, path) : undefined;
    if (!bytes) return undefined;
    const type = mediaTypes[extname(path)] ?? 'application/octet-stream';
    if (path !== '/index.html') {
      // Names of built files hold a hash of their content.
      const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
      return { bytes, headers: { 'content-type': type, 'cache-control': cache } };
    }
    const nonce = randomBytes(16).toString('base64url');
    const html = bytes.toString().replaceAll(nonceMark, nonce);
    return {
      bytes: Buffer.from(html),
      headers: {
        'content-type': type,
        'cache-control': 'no-store',
        'content-security-policy': contentPolicy(nonce, reach),
      },
    };
  };
}

/** undefined for what is not there, and for what a link leads to. */
function readInside(folder: string, path: string): Buffer | undefined {
  try {
    const real = realpathSync(folder);
    const file = join(real, path);
    return realpathSync(file) === file && statSync(file).isFile() ? readFileSync(file) : undefined;
  } catch {
    // Not there, or gone since.
    return undefined;
  }
}
