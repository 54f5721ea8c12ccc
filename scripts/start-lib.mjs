// What `npm start` needs to know: is the interface built from these sources, and can Electron open a window here?
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { filesBelow, readJson } from './dev-lib.mjs';

/** What the bundles of window and application are made of. */
const sourceFolders = ['core', 'main', 'preload', 'renderer'];
const sourceFiles = ['electron.vite.config.mjs', 'package-lock.json', 'tsconfig.base.json'];

/** @param {string} root */
const stampPath = (root) => join(root, 'out', 'built.stamp');

/**
 * A hash over names and contents of everything that the bundle is made of, tests aside.
 * @param {string} root
 */
export function sourceDigest(root) {
  const below = sourceFolders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => filesBelow(join(root, folder), '').map((file) => `${folder}/${file}`))
    .filter((file) => !/\.test\.tsx?$|\.md$/.test(file));
  const files = [...sourceFiles.filter((file) => existsSync(join(root, file))), ...below];
  const hash = createHash('sha256');
  for (const file of files) {
    const content = createHash('sha256')
      .update(readFileSync(join(root, file)))
      .digest('hex');
    hash.update(`${file}\0${content}\n`);
  }
  return hash.digest('hex');
}

/**
 * Why the interface has to be built; undefined when it was built from these very sources.
 * @param {string} root
 * @param {string} digest
 */
export function whyUnbuilt(root, digest) {
  if (!existsSync(join(root, 'out', 'renderer', 'index.html'))) return 'it was not built yet';
  const stamp = existsSync(stampPath(root)) ? readFileSync(stampPath(root), 'utf8').trim() : '';
  return stamp === digest ? undefined : 'its sources have changed';
}

/**
 * @param {string} root
 * @param {string} digest
 */
export function noteBuilt(root, digest) {
  mkdirSync(dirname(stampPath(root)), { recursive: true });
  writeFileSync(stampPath(root), `${digest}\n`);
}

/** @typedef {{ binary: string } | { reason: string, isFetchable?: boolean }} Electron */

/**
 * Electron's program, or why no window of its own can be opened; `isFetchable` where all that is missing is the program.
 * Looks only: asking the package itself would fetch it.
 * @param {string} root
 * @param {{ env: Record<string, string | undefined>, platform: string, isRoot?: boolean }} machine
 * @returns {Electron}
 */
export function findElectron(root, { env, platform, isRoot = false }) {
  if (env['PALIMPSEST_SERVE'] === '1') return { reason: 'PALIMPSEST_SERVE=1 asks for the browser' };
  const folder = join(root, 'node_modules', 'electron');
  const given = env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (given === undefined && !existsSync(folder)) return { reason: 'Electron is not installed' };
  if (!existsSync(join(root, 'out', 'main', 'application.cjs'))) {
    return { reason: 'the application around it is not built' };
  }
  const hasScreen = platform !== 'linux' || Boolean(env['DISPLAY']) || Boolean(env['WAYLAND_DISPLAY']);
  if (!hasScreen) return { reason: 'there is no screen here (DISPLAY and WAYLAND_DISPLAY are not set)' };
  if (isRoot && platform === 'linux') return { reason: 'Electron keeps no sandbox for root' };
  const names = /** @type {Record<string, string>} */ ({
    darwin: 'Electron.app/Contents/MacOS/Electron',
    win32: 'electron.exe',
  });
  const binary = join(given ?? join(folder, 'dist'), names[platform] ?? 'electron');
  if (existsSync(binary)) return { binary };
  return { reason: `Electron's program is not on this machine (${binary})`, isFetchable: given === undefined };
}

/** @param {string} root */
const triedPath = (root) => join(root, 'out', 'electron-fetch.json');

/** Whatever changes where Electron's program would come from; a new answer is worth a new try. */
const sources = /^(npm_config_)?electron_|^(https?|all)_proxy$/i;

/** @param {Record<string, string | undefined>} env */
function sourceOf(env) {
  return JSON.stringify(
    Object.entries(env)
      .filter(([name]) => sources.test(name))
      .sort(([a], [b]) => a.localeCompare(b)),
  );
}

/**
 * Why Electron's program is not fetched now; undefined when it should be tried. It is tried once for each way to get it.
 * @param {string} root
 * @param {Record<string, string | undefined>} env
 * @returns {string | undefined}
 */
export function whyNoFetch(root, env) {
  if (env['ELECTRON_SKIP_BINARY_DOWNLOAD']) return 'ELECTRON_SKIP_BINARY_DOWNLOAD is set';
  const tried = readJson(triedPath(root));
  if (tried?.source !== sourceOf(env)) return undefined;
  return 'it could not be fetched before; npm run electron:fetch tries again';
}

/**
 * @param {string} root
 * @param {Record<string, string | undefined>} env
 */
export function noteNotFetched(root, env) {
  mkdirSync(dirname(triedPath(root)), { recursive: true });
  writeFileSync(triedPath(root), `${JSON.stringify({ source: sourceOf(env) })}\n`);
}

/**
 * What the installer of Electron's package has failed at, in plain words.
 * @param {string} output
 * @param {Record<string, string | undefined>} env
 */
export function notFetchedMessage(output, env) {
  const mirror = env['npm_config_electron_mirror'] || env['ELECTRON_MIRROR'];
  const [line = ''] = output.trim().split('\n');
  const why = /fetch failed|ENOTFOUND|ECONN/.test(line) ? 'it does not answer' : line.replace(/^\w*Error: /, '');
  return [
    `Electron cannot be fetched from ${mirror || 'github.com, where its makers keep it'}: ${why}.`,
    'Hint: set ELECTRON_MIRROR to a mirror, or ELECTRON_OVERRIDE_DIST_PATH to an unpacked Electron; see docs/install.md.',
  ].join('\n');
}
