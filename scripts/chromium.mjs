// The browser that the interface is tested in. Plain JavaScript for Node 18 and later, only node: modules.
import { existsSync } from 'node:fs';

const programs = /** @type {Record<string, readonly string[]>} */ ({
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/snap/bin/chromium'],
  darwin: [
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ],
});

/**
 * The program that PALIMPSEST_CHROMIUM names, else the system's; undefined when there is none.
 * @param {{ env: Record<string, string | undefined>, platform: string, exists?: (path: string) => boolean }} machine
 * @returns {string | undefined}
 */
export function findChromium({ env, platform, exists = existsSync }) {
  const asked = env['PALIMPSEST_CHROMIUM'];
  return asked ? [asked].find(exists) : programs[platform]?.find(exists);
}

/** What is fetched where it is missing and may be: the browser, letters to write with, a loader for its software GPU. */
const packages = ['chromium', 'fonts-liberation', 'libvulkan1'];

/**
 * The commands that install Chromium; undefined where that is not ours to do.
 * @param {{ platform: string, isRoot: boolean, hasApt: boolean, env: Record<string, string | undefined> }} machine
 * @returns {readonly (readonly string[])[] | undefined}
 */
export function chromiumInstall({ platform, isRoot, hasApt, env }) {
  if (platform !== 'linux' || !isRoot || !hasApt || env['PALIMPSEST_CHROMIUM']) return undefined;
  return [
    ['apt-get', '-qq', 'update'],
    ['apt-get', '-qq', 'install', '-y', '--no-install-recommends', ...packages],
  ];
}

/**
 * @param {{ env: Record<string, string | undefined>, platform: string }} machine
 */
export function noChromiumMessage({ env, platform }) {
  const asked = env['PALIMPSEST_CHROMIUM'];
  const looked = asked
    ? `PALIMPSEST_CHROMIUM names ${asked}`
    : `looked for ${programs[platform]?.join(', ') ?? 'none'}`;
  return [
    `The tests of the interface need Chromium, and there is none: ${looked}.`,
    'Hint: install it (Debian and Ubuntu: apt-get install chromium, which is done by itself for root), or set',
    'PALIMPSEST_CHROMIUM to the program of a Chromium, Chrome or Edge. Tests of a folder need none: npm test -- core',
  ].join('\n');
}
