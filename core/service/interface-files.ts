import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
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

/**
 * The built interface. Paths are looked up in a list made at the start, so that nothing a request says reaches the file
 * system. @throws WORKSPACE_UNUSABLE when it was not built
 */
export function openInterface(folder: string, reach: Reach): (path: string) => InterfaceFile | undefined {
  if (!existsSync(join(folder, 'index.html'))) {
    throw new WorkbenchError('WORKSPACE_UNUSABLE', `The interface is not built: there is no index.html in ${folder}`, {
      hint: 'Run `npm start`, which builds it first.',
    });
  }
  const files = new Map<string, string>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.endsWith('.map')) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(`/${relative(folder, path).split(sep).join('/')}`, path);
  }
  return (asked) => {
    const path = asked === '/' ? '/index.html' : asked;
    const file = files.get(path);
    if (file === undefined) return undefined;
    const type = mediaTypes[extname(path)] ?? 'application/octet-stream';
    if (path !== '/index.html') {
      // Names of built files hold a hash of their content.
      const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache';
      return { bytes: readFileSync(file), headers: { 'content-type': type, 'cache-control': cache } };
    }
    const nonce = randomBytes(16).toString('base64url');
    const html = readFileSync(file, 'utf8').replaceAll(nonceMark, nonce);
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
