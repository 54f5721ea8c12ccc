// What scripts/dev.mjs is made of. Plain JavaScript for Node 18 and later, only node: modules: it runs before any install.
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/**
 * One entry of a package-lock's `packages`, as far as we look at it.
 * @typedef {{ version?: string, integrity?: string, dev?: boolean, optional?: boolean, os?: string | string[],
 *   cpu?: string | string[], libc?: string | string[], optionalDependencies?: Record<string, string> }} LockEntry
 * @typedef {{ packages?: Record<string, LockEntry> }} Lock
 * @typedef {{ os: string, cpu: string, libc: string | undefined }} Machine
 */

/**
 * npm's own rule: a list names what is allowed, '!name' what is not; no list allows everything.
 * @param {string | string[] | undefined} list
 * @param {string | undefined} value
 */
function allows(list, value) {
  if (list === undefined || value === undefined) return true;
  const names = Array.isArray(list) ? list : [list];
  if (names.includes(`!${value}`)) return false;
  return names.includes(value) || names.every((name) => name.startsWith('!'));
}

/**
 * @param {LockEntry} entry
 * @param {Machine} machine
 */
export function fitsMachine(entry, machine) {
  return allows(entry.os, machine.os) && allows(entry.cpu, machine.cpu) && allows(entry.libc, machine.libc);
}

/**
 * Why node_modules is not what the lock asks for; undefined when it is. npm writes its record of what it installed
 * (node_modules/.package-lock.json) last, so a broken install never looks whole, and it counts whoever ran npm.
 * @param {Lock} lock package-lock.json
 * @param {Lock | undefined} installed node_modules/.package-lock.json
 * @param {Machine} machine
 * @returns {string | undefined}
 */
export function whyStale(lock, installed, machine) {
  if (installed?.packages === undefined) return 'dependencies are not installed yet';
  const wanted = lock.packages ?? {};
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || !fitsMachine(entry, machine)) continue;
    const found = installed.packages[path];
    // An optional package that names no system belongs to another optional one, which may not fit this machine.
    if (found === undefined && entry.optional && entry.os === undefined && entry.cpu === undefined) continue;
    if (found === undefined) return `${path} is not installed`;
    if (found.version !== entry.version || found.integrity !== entry.integrity) return `${path} has another version`;
  }
  const extra = Object.keys(installed.packages).find((path) => !(path in wanted));
  return extra === undefined ? undefined : `${extra} is not in package-lock.json`;
}

/**
 * A platform package that the registry lacked when the lock was made has no entry, and `npm ci` then refuses the lock.
 * Adds what can be known without the registry: the exact version asked for, and the system that its name states.
 * @param {Record<string, LockEntry>} packages
 * @returns {{ packages: Record<string, LockEntry>, added: string[] }}
 */
export function completeLock(packages) {
  /** @type {Record<string, LockEntry>} */
  const missing = {};
  for (const parent of Object.values(packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const path = `node_modules/${name}`;
      if (Object.keys(packages).some((each) => each === path || each.endsWith(`/${path}`))) continue;
      missing[path] = { version, ...systemOf(name), ...(parent.dev ? { dev: true } : {}), optional: true };
    }
  }
  const all = Object.entries({ ...packages, ...missing }).sort(([a], [b]) => a.localeCompare(b, 'en'));
  return { packages: Object.fromEntries(all), added: Object.keys(missing) };
}

/** @param {string} name such as '@oxlint/binding-linux-x64-musl' */
function systemOf(name) {
  const words = name.split(/[-/]/);
  const os = ['darwin', 'linux', 'win32', 'android', 'freebsd', 'openharmony'].find((each) => words.includes(each));
  const otherNames = new Map([
    ['aarch64', 'arm64'],
    ['armv7', 'arm'],
  ]);
  const cpus = words.map((word) => otherNames.get(word) ?? word);
  const cpu = ['arm', 'arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x'].find((each) => cpus.includes(each));
  if (os === undefined || cpu === undefined)
    throw new Error(`Cannot tell the system that ${name} is for from its name`);
  if (os !== 'linux') return { os: [os], cpu: [cpu] };
  if (words.some((word) => word.startsWith('musl'))) return { os: [os], cpu: [cpu], libc: ['musl'] };
  if (words.some((word) => word.startsWith('gnu'))) return { os: [os], cpu: [cpu], libc: ['glibc'] };
  return { os: [os], cpu: [cpu] };
}

/**
 * Parsed JSON, or undefined when the file cannot be read or parsed.
 * @param {string} path
 */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** @returns {Machine} */
export function thisMachine() {
  /** @type {any} */
  const report = process.platform === 'linux' ? process.report.getReport() : undefined;
  const libc = report === undefined ? undefined : report.header.glibcVersionRuntime === undefined ? 'musl' : 'glibc';
  return { os: process.platform, cpu: process.arch, libc };
}

/**
 * How to start npm: the one that started us, under the Node that it runs on, else the one in PATH.
 * @param {Record<string, string | undefined>} env
 * @param {string} platform
 * @returns {{ binary: string, args: string[], shell: boolean }}
 */
export function npmCommand(env, platform) {
  const script = env['npm_execpath'];
  const node = env['npm_node_execpath'];
  if (script !== undefined && node !== undefined && /npm-cli\.[cm]?js$/.test(script)) {
    return { binary: node, args: [script], shell: false };
  }
  return platform === 'win32'
    ? { binary: 'npm.cmd', args: [], shell: true }
    : { binary: 'npm', args: [], shell: false };
}

export const installArgs = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--loglevel=error'];

/** @param {number} exitCode */
export function installFailedMessage(exitCode) {
  return [
    `Could not install the dependencies: npm ended with exit code ${exitCode} (its own words are above).`,
    'Hint: this step needs an npm registry, here or a mirror (npm config set registry URL). Without one, run',
    '  npm ci --ignore-scripts',
    'in a copy of this folder on a connected machine with the same system and processor, copy its node_modules folder',
    'here, and run your command again: an install that matches package-lock.json is used as it is.',
  ].join('\n');
}

/**
 * Runs `work` while holding a lock file with our process id in it. A lock whose process is gone is taken over.
 * @template T
 * @param {string} path
 * @param {() => Promise<T>} work
 * @param {{ onWait?: (pid: number) => void, pollMs?: number, isAlive?: (pid: number) => boolean }} [options]
 * @returns {Promise<T>}
 */
export async function withLock(path, work, { onWait = () => {}, pollMs = 200, isAlive = processIsAlive } = {}) {
  let told = false;
  while (!tryLock(path)) {
    const owner = Number.parseInt(readText(path) ?? '', 10);
    if (Number.isInteger(owner) && !isAlive(owner)) {
      removeStale(path, owner);
      continue;
    }
    if (!told) onWait(owner);
    told = true;
    await wait(pollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** @param {string} path */
function tryLock(path) {
  try {
    writeFileSync(path, `${process.pid}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Renamed before it is removed, and looked at in between: another waiter may have taken the lock over meanwhile.
 * @param {string} path
 * @param {number} owner
 */
function removeStale(path, owner) {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another waiter was faster
  }
  if (Number.parseInt(readText(aside) ?? '', 10) === owner) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

/** @param {string} path */
function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** @param {number} pid */
function processIsAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/**
 * All files below a folder whose name ends in `suffix`, as sorted paths with '/', without dependencies and hidden folders.
 * @param {string} root
 * @param {string} suffix
 * @returns {string[]}
 */
export function filesBelow(root, suffix) {
  /** @type {string[]} */
  const found = [];
  /** @param {string} folder */
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      if (entry.name === 'node_modules' || entry.name.startsWith('.')) continue;
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith(suffix)) found.push(path);
    }
  };
  walk('');
  return found.sort();
}

/**
 * Splits what follows `npm test --` into places to test and options for the runner (`--name=value`, one word each).
 * @param {readonly string[]} args
 * @returns {{ places: string[], options: string[] }}
 */
export function splitTestArgs(args) {
  const options = args.filter((arg) => arg.startsWith('-'));
  const places = args.filter((arg) => !arg.startsWith('-'));
  return {
    places: places.map((place) => place.split(sep).join('/').replace(/^\.\//, '').replace(/\/+$/, '')),
    options,
  };
}

/**
 * Test files that lie at or below one of the places; all when no place is named.
 * @param {readonly string[]} files
 * @param {readonly string[]} places
 */
export function testsAt(files, places) {
  if (places.length === 0) return [...files];
  return files.filter((file) =>
    places.some((place) => place === '.' || file === place || file.startsWith(`${place}/`)),
  );
}

/** @param {number} ms */
export function formatDuration(ms) {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, '0')} s`;
}
