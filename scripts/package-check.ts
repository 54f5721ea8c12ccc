/**
 * Packs the application as `npm run package` does, with a stand-in for Electron's program (which cannot be had offline), and
 * looks at what came out: its size, its fuses, whether everything native is there and works, and nothing of other systems.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extractAll } from '@electron/asar';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { SENTINEL } from '@electron/fuses/dist/constants.js';

/** Without Electron itself, whose program takes about 250 MB more. */
const budgetBytes = 90_000_000;
const root = fileURLToPath(new URL('..', import.meta.url));
const builder = join(root, 'node_modules', 'electron-builder', 'cli.js');

/** As a release of Electron has them: most of it on. */
const factorySettings = '101111001';

const wanted: readonly (readonly [FuseV1Options, string])[] = [
  [FuseV1Options.RunAsNode, '0'],
  [FuseV1Options.EnableCookieEncryption, '1'],
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable, '0'],
  [FuseV1Options.EnableNodeCliInspectArguments, '0'],
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation, '1'],
  [FuseV1Options.OnlyLoadAppFromAsar, '1'],
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot, '0'],
  [FuseV1Options.GrantFileProtocolExtraPrivileges, '0'],
];

/** The folder of the unpacked application. */
function pack(into: string): string {
  const dist = join(into, 'electron');
  mkdirSync(dist);
  const version = Buffer.from([1, factorySettings.length]);
  const program = Buffer.concat([Buffer.from(`#!/bin/sh\nexit 1\n${SENTINEL}`), version, Buffer.from(factorySettings)]);
  writeFileSync(join(dist, 'electron'), Buffer.concat([program, Buffer.alloc(64)]));
  chmodSync(join(dist, 'electron'), 0o755);
  const args = ['--linux', '--dir', `-c.electronDist=${dist}`, `-c.directories.output=${join(into, 'out')}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [builder, ...args], { cwd: root, encoding: 'utf8' });
  assert.equal(status, 0, `electron-builder ended with ${status}:\n${stdout}\n${stderr}`);
  return join(into, 'out', 'linux-unpacked');
}

async function check(application: string, into: string): Promise<void> {
  const files = filesOf(application);
  const bytes = files.reduce((sum, path) => sum + statSync(join(application, path)).size, 0);
  console.log(
    `${(bytes / 1e6).toFixed(1)} MB in ${files.length} files, without Electron; at most ${budgetBytes / 1e6} MB`,
  );
  assert.ok(bytes <= budgetBytes, 'the package is larger than its budget');

  const fuses = await getCurrentFuseWire(join(application, 'palimpsest'));
  for (const [fuse, state] of wanted) {
    assert.equal(String.fromCodePoint(fuses[fuse] ?? 0), state, `fuse ${FuseV1Options[fuse]}`);
  }

  const resources = join(application, 'resources');
  const unpacked = join(into, 'unpacked');
  extractAll(join(resources, 'app.asar'), unpacked);
  cpSync(join(resources, 'app.asar.unpacked'), unpacked, { recursive: true });
  const inside = filesOf(unpacked);
  const strange = inside.filter((path) => isOfElsewhere(path));
  assert.deepEqual(strange, [], 'binaries of other systems');
  const sources = inside.filter((path) => /^(core|renderer|main|cli|e2e|docs|scripts|\.ci)\//.test(path));
  assert.deepEqual(sources, [], 'sources of the project');
  for (const path of [
    'out/main/application.cjs',
    'out/preload/index.cjs',
    'out/renderer/index.html',
    'assets/icon/256x256.png',
    'package.json',
    // Whatever comes with Palimpsest is looked for there by `assetPath`.
    ...['models', 'taxonomies'].flatMap((kind) =>
      readdirSync(join('assets', kind)).map((name) => `assets/${kind}/${name}`),
    ),
  ]) {
    assert.ok(inside.includes(path), path);
  }
  const native = inside.filter((path) => /\.(node|so(\.[\d.]+)?)$/.test(path));
  const outside = filesOf(join(resources, 'app.asar.unpacked'));
  assert.deepEqual(
    native.filter((path) => !outside.includes(path)),
    [],
    'native code inside the archive',
  );
  use(unpacked);
}

const filesOf = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1));

const elsewhere = /(^|[/\-.])(darwin|win32|linuxmusl|android|freebsd|arm64|armv7|ia32)([/\-.]|$)/;

const isOfElsewhere = (path: string): boolean => /\.(node|so|dylib|dll|exe)/.test(path) && elsewhere.test(path);

/** Everything native does its work from the packed files alone. */
function use(unpacked: string): void {
  const script = `
    const Database = require('better-sqlite3');
    if (new Database(':memory:').prepare('SELECT 1 AS one').get().one !== 1) throw new Error('sqlite');
    const ort = require('onnxruntime-node');
    const model = 'assets/models/lenet5-mnist.onnx';
    const image = { create: { width: 2, height: 2, channels: 3, background: '#fff' } };
    Promise.all([ort.InferenceSession.create(model), require('sharp')(image).png().toBuffer()])
      .then(([session, png]) => console.log(session.inputNames.length, png.length > 50));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { cwd: unpacked, encoding: 'utf8' });
  assert.equal(stdout.trim(), '1 true', stderr);
  console.log('SQLite, onnxruntime and the image codecs work from the packed files alone.');
}

const folder = mkdtempSync(join(tmpdir(), 'palimpsest-package-'));
try {
  await check(pack(folder), folder);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
