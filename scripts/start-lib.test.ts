import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import {
  findElectron,
  noteBuilt,
  noteNotFetched,
  notFetchedMessage,
  sourceDigest,
  whyNoFetch,
  whyUnbuilt,
} from './start-lib.mjs';

function folder(
  t: TestContext,
  files: readonly string[] = [],
): { root: string; write(file: string, text?: string): void } {
  const root = mkdtempSync(join(tmpdir(), 'palimpsest-start-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const write = (file: string, text = ''): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  for (const file of files) write(file);
  return { root, write };
}

describe('the interface', () => {
  it('is built once, and again when a source of it changes', (t) => {
    const { root, write } = folder(t, ['renderer/app/main.tsx', 'core/contract/bridge.ts', 'package-lock.json']);
    const digest = sourceDigest(root);
    assert.equal(whyUnbuilt(root, digest), 'it was not built yet');
    write('out/renderer/index.html');
    assert.equal(whyUnbuilt(root, digest), 'its sources have changed');
    noteBuilt(root, digest);
    assert.equal(whyUnbuilt(root, sourceDigest(root)), undefined);
    for (const file of ['core/contract/bridge.ts', 'renderer/app/new.ts', 'package-lock.json']) {
      const before = sourceDigest(root);
      write(file, 'changed');
      assert.notEqual(sourceDigest(root), before, file);
    }
  });

  it('is not built again for tests, prose and what it is not made of', (t) => {
    const { root, write } = folder(t, ['renderer/app/main.tsx']);
    const before = sourceDigest(root);
    for (const file of ['renderer/app/main.test.ts', 'core/base/README.md', 'cli/serve.ts']) write(file, 'new');
    assert.equal(sourceDigest(root), before);
  });
});

const linux = { env: { DISPLAY: ':0' }, platform: 'linux', isRoot: false };
const program = 'node_modules/electron/dist/electron';
const application = 'out/main/application.cjs';

describe('a window of its own', () => {
  it('needs the program, the application and a screen, and says which is missing', (t) => {
    const { root, write } = folder(t);
    const reason = (machine = linux): string => {
      const found = findElectron(root, machine);
      return 'reason' in found ? found.reason : '';
    };
    assert.equal(reason(), 'Electron is not installed');
    write('node_modules/electron/package.json');
    assert.match(reason(), /application around it is not built/);
    write(application);
    assert.match(reason(), /program is not on this machine/);
    write(program);
    assert.equal(reason(), '');
    assert.match(reason({ ...linux, isRoot: true }), /no sandbox for root/);
    assert.match(findReason(root, {}), /no screen/);
    assert.match(findReason(root, { DISPLAY: ':0', PALIMPSEST_SERVE: '1' }), /asks for the browser/);
  });

  it('may have its program elsewhere', (t) => {
    const { root, write } = folder(t, ['elsewhere/electron.exe', application]);
    write('node_modules/electron/package.json');
    const env = { ELECTRON_OVERRIDE_DIST_PATH: join(root, 'elsewhere') };
    assert.deepEqual(findElectron(root, { env, platform: 'win32' }), {
      binary: join(root, 'elsewhere', 'electron.exe'),
    });
  });
});

describe('the program of Electron', () => {
  it('is tried to be fetched once, and again where the way to it has changed', (t) => {
    const { root } = folder(t);
    const mirrored = { ELECTRON_MIRROR: 'https://mirror.invalid/' };
    assert.equal(whyNoFetch(root, {}), undefined);
    noteNotFetched(root, {});
    assert.match(whyNoFetch(root, { PATH: 'x' }) ?? '', /could not be fetched before/);
    assert.equal(whyNoFetch(root, mirrored), undefined);
    noteNotFetched(root, mirrored);
    assert.match(whyNoFetch(root, mirrored) ?? '', /could not be fetched before/);
    assert.match(whyNoFetch(root, { ELECTRON_SKIP_BINARY_DOWNLOAD: '1' }) ?? '', /is set/);
  });

  it('is worth fetching only where nothing else is missing', (t) => {
    const { root, write } = folder(t, [application, 'node_modules/electron/package.json']);
    const isFetchable = (machine = linux): unknown => {
      const found = findElectron(root, machine);
      return 'reason' in found && found.isFetchable;
    };
    assert.equal(isFetchable(), true);
    assert.notEqual(isFetchable({ ...linux, env: { DISPLAY: '' } }), true);
    write(program);
    assert.equal(isFetchable(), false);
  });

  it('says from where its program could not be fetched, and what to set', () => {
    const mirror = { ELECTRON_MIRROR: 'https://mirror.example/electron/' };
    assert.match(
      notFetchedMessage('TypeError: fetch failed\n    at node:internal', mirror),
      /^Electron cannot be fetched from https:\/\/mirror\.example\/electron\/: it does not answer\.\nHint: set ELECTRON_MIRROR/,
    );
    assert.match(
      notFetchedMessage('HTTPError: Response code 404\n    at x', {}),
      /^Electron cannot be fetched from github\.com, .*: Response code 404\.\n/,
    );
  });
});

function findReason(root: string, env: Record<string, string>): string {
  const found = findElectron(root, { env, platform: 'linux' });
  return 'reason' in found ? found.reason : '';
}
