import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { openStandIn, type Opened } from './open.ts';
import { app, ipcMain, stage } from './stand-in/electron.ts';
import { out } from './stand-in/start.ts';

/** Electron's security checklist, item by item, on the built main process and preload; docs/security.md names them. */
describe('the application keeps to Electron’s security checklist', { timeout: 600_000 }, () => {
  let opened: Opened;
  let page: Page;

  before(async () => {
    opened = await openStandIn();
    page = opened.page;
    await page.getByRole('heading', { name: 'Start', exact: true }).waitFor();
  });

  after(async () => opened?.close());

  const preferences = (): Record<string, unknown> => {
    const { webPreferences } = stage.windows[0]?.options ?? {};
    assert.ok(typeof webPreferences === 'object' && webPreferences !== null);
    return { ...webPreferences };
  };
  const served = async (path: string, method = 'GET'): Promise<Response> => {
    const answer = stage.answerScheme.get('app');
    assert.ok(answer);
    return answer(new Request(`app://${path}`, { method }));
  };
  const guard = (name: string, ...given: unknown[]): unknown => {
    const found = stage.guards.get(name);
    assert.ok(found, name);
    return Reflect.apply(found, undefined, given);
  };

  it('isolates contexts and sandboxes every process of a window, without Node', () => {
    assert.equal(stage.isSandboxed, true);
    const { contextIsolation, sandbox, nodeIntegration, nodeIntegrationInWorker, nodeIntegrationInSubFrames } =
      preferences();
    assert.deepEqual(
      { contextIsolation, sandbox, nodeIntegration, nodeIntegrationInWorker, nodeIntegrationInSubFrames },
      {
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
      },
    );
  });

  it('leaves the web’s own rules on, and everything that weakens them off', () => {
    const { webSecurity, allowRunningInsecureContent, experimentalFeatures, ...others } = preferences();
    assert.deepEqual(
      { webSecurity, allowRunningInsecureContent, experimentalFeatures },
      { webSecurity: true, allowRunningInsecureContent: false, experimentalFeatures: false },
    );
    const { webviewTag, navigateOnDragDrop, safeDialogs, enableBlinkFeatures } = others;
    assert.deepEqual(
      { webviewTag, navigateOnDragDrop, safeDialogs, enableBlinkFeatures },
      { webviewTag: false, navigateOnDragDrop: false, safeDialogs: true, enableBlinkFeatures: undefined },
    );
  });

  it('has a scheme of its own, without privileges that break its policy', () => {
    const [scheme, ...others] = stage.schemes;
    assert.deepEqual(others, []);
    assert.equal(scheme?.scheme, 'app');
    assert.deepEqual(scheme?.privileges, { standard: true, secure: true, supportFetchAPI: true, codeCache: true });
    assert.match(page.url(), /^https:\/\/palimpsest\.invalid\//);
  });

  it('sends its page with a strict policy and a fresh nonce', async () => {
    const policies = await Promise.all(
      [1, 2].map(async () => (await served('palimpsest/')).headers.get('content-security-policy') ?? ''),
    );
    const [policy = '', other] = policies;
    assert.notEqual(policy, other);
    assert.match(policy, /'nonce-[\w-]{22}'/);
    assert.deepEqual(policy.replace(/'nonce-[\w-]+'/, 'NONCE').split('; '), [
      `default-src 'none'`,
      `script-src 'self'`,
      `style-src 'self' NONCE`,
      `img-src 'self' data: blob:`,
      `font-src 'self'`,
      `connect-src 'none'`,
      `worker-src 'self'`,
      `frame-src 'self'`,
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
      `require-trusted-types-for 'script'`,
    ]);
  });

  it('runs nothing that is not in its files', async () => {
    const tried = await page.evaluate(async () => {
      const script = document.createElement('script');
      const refused = (what: () => unknown): boolean => {
        try {
          what();
          return false;
        } catch {
          return true;
        }
      };
      const byText = refused(() => {
        script.textContent = 'globalThis.wasRun = true';
        document.head.append(script);
      });
      const byFetch = await fetch('https://example.invalid/').then(
        () => false,
        () => true,
      );
      return { byText, byFetch, wasRun: Reflect.has(globalThis, 'wasRun') };
    });
    assert.deepEqual(tried, { byText: true, byFetch: true, wasRun: false });
  });

  it('serves its own files and nothing else', async () => {
    const wrong = [
      'palimpsest/../main/application.cjs',
      'palimpsest/%2e%2e/main/application.cjs',
      'palimpsest/nothing.js',
      'other/',
    ];
    for (const path of wrong) assert.equal((await served(path)).status, 404, path);
    assert.equal((await served('palimpsest/link/unknown/report.html')).status, 404);
    assert.equal((await served('palimpsest/', 'POST')).status, 405);
  });

  it('goes nowhere', async () => {
    const address = page.url();
    const contents = stage.windows[0]?.webContents;
    for (const url of ['https://example.com/', 'file:///etc/passwd', 'app://other/', 'app://palimpsest/link/x/y']) {
      const event = { url, isMainFrame: true, isPrevented: false, preventDefault: () => (event.isPrevented = true) };
      contents?.emit('will-frame-navigate', event);
      assert.equal(event.isPrevented, true, url);
    }
    for (const name of ['will-redirect', 'will-attach-webview']) {
      const event = { isPrevented: false, preventDefault: () => (event.isPrevented = true) };
      contents?.emit(name, event);
      assert.equal(event.isPrevented, true, name);
    }
    await page.evaluate(() => {
      location.href = 'https://example.invalid/';
    });
    await page.getByRole('heading', { name: 'Start', exact: true }).waitFor();
    assert.equal(page.url(), address);
  });

  it('opens no windows', async () => {
    assert.deepEqual(stage.windows[0]?.webContents.openHandler({ url: 'app://palimpsest/' }), { action: 'deny' });
    assert.equal(await page.evaluate(() => window.open('about:blank') === null || window.length === 0), true);
  });

  it('grants no permission', () => {
    const granted: boolean[] = [];
    for (const permission of [
      'media',
      'geolocation',
      'notifications',
      'openExternal',
      'fileSystem',
      'clipboard-read',
    ]) {
      guard('permission', {}, permission, (isGranted: boolean) => granted.push(isGranted));
      assert.equal(guard('permission-check', {}, permission), false, permission);
    }
    assert.deepEqual(new Set(granted), new Set([false]));
    assert.equal(guard('device', {}), false);
  });

  it('lets no request leave, and looks up no name', () => {
    const isCancelled = (url: string): boolean => {
      let isIt = false;
      guard('request', { url }, ({ cancel }: { cancel: boolean }) => void (isIt = cancel));
      return isIt;
    };
    for (const url of [
      'https://example.com/',
      'http://127.0.0.1:1/',
      'ws://a/',
      'file:///etc/passwd',
      'ftp://a/',
      'x',
    ]) {
      assert.equal(isCancelled(url), true, url);
    }
    for (const url of ['app://palimpsest/', 'blob:app://palimpsest/1', 'data:,']) assert.equal(isCancelled(url), false);
    assert.equal(stage.switches.get('host-resolver-rules'), 'MAP * ~NOTFOUND');
    for (const flag of ['disable-background-networking', 'disable-component-update']) {
      assert.ok(stage.switches.has(flag), flag);
    }
  });

  it('has no spell-checker, which would fetch dictionaries', () => {
    assert.equal(preferences()['spellcheck'], false);
    assert.deepEqual(stage.spelling, { isOn: false, languages: [] });
  });

  it('answers its own page only', async () => {
    const frames = [
      undefined,
      null,
      { url: 'https://example.com/', parent: null },
      { url: 'app://palimpsest/', parent: {} },
      { url: 'app://palimpsest/link/x/report.html', parent: null },
      { url: 'app://palimpsest.example/', parent: null },
    ];
    assert.ok(stage.ipc.size >= 4);
    for (const [channel, handler] of stage.ipc) {
      for (const senderFrame of frames) {
        const answer = await handler({ senderFrame, sender: {} }, { name: 'queue.facts', params: {} });
        assert.equal(JSON.stringify(answer).includes('"ok":false'), true, `${channel} ${JSON.stringify(senderFrame)}`);
        assert.match(JSON.stringify(answer), /may not ask/);
      }
    }
    assert.throws(() => ipcMain.handle([...stage.ipc.keys()][0] ?? '', () => 0), /second handler/);
  });

  it('parses every message', async () => {
    const own = { senderFrame: { url: 'app://palimpsest/#/runs', parent: null }, sender: {} };
    const wrong: Record<string, unknown[]> = {
      'palimpsest:request': [undefined, {}, { name: 3, params: {} }, { name: 'queue.facts', params: {}, more: 1 }],
      'palimpsest:append': [{}, { uploadId: 'x', file: -1, offset: 0, bytes: new Uint8Array() }, { bytes: 'text' }],
      'palimpsest:artifact': ['../../palimpsest.db', 'a', 7, null],
    };
    for (const [channel, messages] of Object.entries(wrong)) {
      for (const message of messages) {
        const answer = await stage.ipc.get(channel)?.(own, message);
        assert.match(JSON.stringify(answer), /"ok":false.*not what the contract says/, `${channel} ${String(message)}`);
      }
    }
    const unknown = await stage.ipc.get('palimpsest:request')?.(own, { name: '__proto__', params: {} });
    assert.match(JSON.stringify(unknown), /There is no request/);
  });

  it('exposes functions for the contract and nothing of Electron', async () => {
    const exposed = await page.evaluate(() => Object.keys(Reflect.get(globalThis, 'palimpsest')));
    assert.deepEqual(exposed, ['request', 'append', 'artifact', 'listen', 'onGo']);
    const preload = readFileSync(join(out, 'preload', 'index.cjs'), 'utf8');
    const loaded = [...preload.matchAll(/require\(["']([^"']+)["']\)/g)].map(([, name]) => name);
    assert.deepEqual([...new Set(loaded)], ['electron']);
    assert.doesNotMatch(preload, /exposeInMainWorld\([^)]*ipcRenderer/);
  });

  it('hands nothing to other programs, and has no other way to load a page', () => {
    const main = readFileSync(join(out, 'main', 'application.cjs'), 'utf8');
    const used = new Set([...main.matchAll(/\belectron\.([A-Za-z]+)/g)].map(([, name]) => name));
    const parts =
      'app protocol session ipcMain BrowserWindow Menu dialog Notification utilityProcess MessageChannelMain';
    assert.deepEqual(used, new Set(parts.split(' ')));
    assert.doesNotMatch(main, /openExternal|openPath|executeJavaScript|insertCSS|loadFile\(/);
  });

  it('is packed around a current Electron whose fuses are set', () => {
    const builder = readFileSync(join(out, '..', 'electron-builder.yml'), 'utf8');
    const [, fuses = ''] = /^electronFuses:\n((?: {2}.+\n)+)/m.exec(builder) ?? [];
    assert.deepEqual(fuses.trim().split(/\n */), [
      'runAsNode: false',
      'enableCookieEncryption: true',
      'enableNodeOptionsEnvironmentVariable: false',
      'enableNodeCliInspectArguments: false',
      'enableEmbeddedAsarIntegrityValidation: true',
      'onlyLoadAppFromAsar: true',
      'loadBrowserProcessSpecificV8Snapshot: false',
      'grantFileProtocolExtraPrivileges: false',
    ]);
    const { devDependencies } = z
      .object({ devDependencies: z.object({ electron: z.string() }) })
      .parse(JSON.parse(readFileSync(join(out, '..', 'package.json'), 'utf8')));
    assert.match(devDependencies.electron, /^(4[5-9]|[5-9]\d)\.\d+\.\d+$/);
    assert.match(builder, new RegExp(`^electronVersion: ${devDependencies.electron}$`, 'm'));
  });

  it('is there once: a second start shows the window of the first', () => {
    const window = stage.windows[0];
    assert.ok(window);
    window.isInFront = false;
    app.emit('second-instance', {}, [], '');
    assert.equal(window.isInFront, true);
    assert.equal(stage.windows.length, 1);
  });
});
