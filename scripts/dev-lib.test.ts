import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  completeLock,
  filesBelow,
  fitsMachine,
  formatDuration,
  installFailedMessage,
  npmCommand,
  splitTestArgs,
  testsAt,
  whyStale,
  withLock,
} from './dev-lib.mjs';

const linux = { os: 'linux', cpu: 'x64', libc: 'glibc' };

describe('whyStale', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
      'node_modules/linux-only': { version: '1.0.0', optional: true, os: 'linux', cpu: ['x64'] },
      'node_modules/mac-only': { version: '1.0.0', optional: true, os: ['darwin'] },
      'node_modules/part-of-mac-only': { version: '1.0.0', optional: true },
    },
  };
  const installed = {
    'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
    'node_modules/linux-only': { version: '1.0.0' },
  };

  it('accepts an install that lacks only what other systems need', () => {
    assert.equal(whyStale(lock, { packages: installed }, linux), undefined);
  });
  it('says so when nothing is installed', () => {
    assert.match(whyStale(lock, undefined, linux) ?? '', /not installed yet/);
  });
  it('names a package that is missing, also an optional one for this system', () => {
    const { 'node_modules/linux-only': _, ...rest } = installed;
    assert.equal(whyStale(lock, { packages: rest }, linux), 'node_modules/linux-only is not installed');
  });
  it('names a package of another version or content', () => {
    for (const zod of [
      { version: '4.0.1', integrity: 'sha512-a' },
      { version: '4.0.0', integrity: 'sha512-b' },
    ]) {
      const packages = { ...installed, 'node_modules/zod': zod };
      assert.equal(whyStale(lock, { packages }, linux), 'node_modules/zod has another version');
    }
  });
  it('names a package that the lock does not know', () => {
    const packages = { ...installed, 'node_modules/left-over': { version: '1.0.0' } };
    assert.equal(whyStale(lock, { packages }, linux), 'node_modules/left-over is not in package-lock.json');
  });
});

describe('fitsMachine', () => {
  it('reads lists of allowed and of excluded names', () => {
    assert.equal(fitsMachine({ os: ['linux', 'darwin'] }, linux), true);
    assert.equal(fitsMachine({ os: ['!win32'] }, linux), true);
    assert.equal(fitsMachine({ os: ['!linux'] }, linux), false);
    assert.equal(fitsMachine({ os: ['linux'], cpu: ['arm64'] }, linux), false);
    assert.equal(fitsMachine({ os: ['linux'], libc: ['musl'] }, linux), false);
    assert.equal(fitsMachine({}, linux), true);
  });
});

describe('completeLock', () => {
  const parent = {
    version: '1.0.0',
    dev: true,
    optionalDependencies: { '@a/x-darwin-arm64': '1.0.0', 'b-linux-armv7': '2.0.0' },
  };

  it('adds the platform packages that have no entry, with the system that their names state', () => {
    const { packages, added } = completeLock({ 'node_modules/a': parent });
    assert.deepEqual(added, ['node_modules/@a/x-darwin-arm64', 'node_modules/b-linux-armv7']);
    assert.deepEqual(packages['node_modules/@a/x-darwin-arm64'], {
      version: '1.0.0',
      os: ['darwin'],
      cpu: ['arm64'],
      dev: true,
      optional: true,
    });
    assert.deepEqual(packages['node_modules/b-linux-armv7']?.cpu, ['arm']);
  });
  it('tells the C library of a Linux package', () => {
    const optionalDependencies = { 'x-linux-x64-musl': '1', 'x-linux-arm-gnueabihf': '1' };
    const { packages } = completeLock({ 'node_modules/x': { optionalDependencies } });
    assert.deepEqual(packages['node_modules/x-linux-x64-musl']?.libc, ['musl']);
    assert.deepEqual(packages['node_modules/x-linux-arm-gnueabihf']?.libc, ['glibc']);
  });
  it('leaves a complete lock as it is', () => {
    const once = completeLock({ 'node_modules/a': parent }).packages;
    assert.deepEqual(completeLock(once), { packages: once, added: [] });
  });
  it('refuses to guess: a package for no known system would be installed everywhere', () => {
    assert.throws(() => completeLock({ 'node_modules/a': { optionalDependencies: { speedup: '1.0.0' } } }), /speedup/);
  });
});

describe('npmCommand', () => {
  it('takes the npm that started us, under its own Node', () => {
    const env = { npm_execpath: '/opt/npm/bin/npm-cli.js', npm_node_execpath: '/opt/node' };
    assert.deepEqual(npmCommand(env, 'linux'), {
      binary: '/opt/node',
      args: ['/opt/npm/bin/npm-cli.js'],
      shell: false,
    });
  });
  it('takes npm from PATH when another program started us', () => {
    assert.deepEqual(npmCommand({}, 'linux'), { binary: 'npm', args: [], shell: false });
    assert.equal(npmCommand({ npm_execpath: '/opt/yarn.js', npm_node_execpath: '/opt/node' }, 'linux').binary, 'npm');
    assert.deepEqual(npmCommand({}, 'win32'), { binary: 'npm.cmd', args: [], shell: true });
  });
});

describe('installFailedMessage', () => {
  it('says what to run on a connected machine', () => {
    assert.match(installFailedMessage(1), /exit code 1[\s\S]*npm ci --ignore-scripts[\s\S]*connected machine/);
  });
});

describe('withLock', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'palimpsest-lock-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('lets one worker in at a time and takes the lock away', async () => {
    const path = join(folder, 'one');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      assert.equal(readFileSync(path, 'utf8').trim(), String(process.pid));
      await Promise.resolve();
      inside--;
    };
    await Promise.all([1, 2, 3].map(() => withLock(path, work, { pollMs: 1 })));
    assert.equal(most, 1);
    assert.equal(existsSync(path), false);
  });
  it('takes the lock away when the work fails', async () => {
    const path = join(folder, 'failing');
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error('no disk'))),
      /no disk/,
    );
    assert.equal(existsSync(path), false);
  });
  it('takes over the lock of a process that is gone', async () => {
    const path = join(folder, 'stale');
    writeFileSync(path, '4242\n');
    assert.equal(await withLock(path, () => Promise.resolve('done'), { isAlive: (pid) => pid !== 4242 }), 'done');
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('stale')),
      [],
    );
  });
  it('says once whom it waits for', async () => {
    const path = join(folder, 'busy');
    writeFileSync(path, '4242\n');
    let looks = 0;
    const told: number[] = [];
    const isAlive = (): boolean => ++looks < 3;
    await withLock(path, () => Promise.resolve(), { pollMs: 1, isAlive, onWait: (pid) => told.push(pid) });
    assert.deepEqual(told, [4242]);
  });
});

describe('the choice of tests', () => {
  it('splits places from options of the runner', () => {
    assert.deepEqual(splitTestArgs(['./core/onnx/', '--test-name-pattern=reads', 'cli']), {
      places: ['core/onnx', 'cli'],
      options: ['--test-name-pattern=reads'],
    });
  });
  it('takes what lies at or below a place, whole folder names only', () => {
    const files = ['cli/a.test.ts', 'core/onnx/a.test.ts', 'core/onnx-more/a.test.ts'];
    assert.deepEqual(testsAt(files, ['core/onnx']), ['core/onnx/a.test.ts']);
    assert.deepEqual(testsAt(files, ['cli/a.test.ts']), ['cli/a.test.ts']);
    assert.deepEqual(testsAt(files, ['.']), files);
    assert.deepEqual(testsAt(files, []), files);
    assert.deepEqual(testsAt(files, ['nowhere']), []);
  });
  it('finds files at any depth, but not in dependencies and hidden folders', () => {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-files-'));
    try {
      for (const place of ['core/onnx', 'node_modules/a', 'core/node_modules', '.tsc']) {
        mkdirSync(join(folder, place), { recursive: true });
        writeFileSync(join(folder, place, 'a.test.ts'), '');
      }
      writeFileSync(join(folder, 'b.test.ts'), '');
      assert.deepEqual(filesBelow(folder, '.test.ts'), ['b.test.ts', 'core/onnx/a.test.ts']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('formatDuration', () => {
  it('gives tenths of a second below a minute, then minutes and seconds', () => {
    assert.deepEqual([0, 1234, 59_900, 61_000, 754_600].map(formatDuration), [
      '0.0 s',
      '1.2 s',
      '59.9 s',
      '1 min 01 s',
      '12 min 35 s',
    ]);
  });
});
