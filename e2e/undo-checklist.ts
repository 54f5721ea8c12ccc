/**
 * Undoes each item of Electron's security checklist in the built application, one after the other, and says which tests
 * notice: node e2e/undo-checklist.ts [ITEM …]. What was changed is put back; after an interruption, build again.
 * docs/security.md has the table.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Undoing {
  readonly item: string;
  readonly from: string;
  readonly to: string;
  readonly file?: string;
  readonly test?: string;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const main = 'out/main/application.cjs';
const preload = 'out/preload/index.cjs';
const security = 'e2e/security.web.e2e.ts';

/** What the application and `serve` share. */
const files = { file: 'core/service/interface-files.ts', test: 'cli/serve-http.test.ts' };

const flips: readonly (readonly [name: string, value: boolean])[] = [
  ['contextIsolation', true],
  ['sandbox', true],
  ['nodeIntegration', false],
  ['nodeIntegrationInWorker', false],
  ['nodeIntegrationInSubFrames', false],
  ['webSecurity', true],
  ['allowRunningInsecureContent', false],
  ['experimentalFeatures', false],
  ['webviewTag', false],
  ['navigateOnDragDrop', false],
  ['safeDialogs', true],
  ['spellcheck', false],
];

const undoings: readonly Undoing[] = [
  ...flips.map(([name, value]) => ({ item: name, from: `\t${name}: ${value}`, to: `\t${name}: ${!value}` })),
  {
    item: 'features of Blink',
    from: '\tspellcheck: false',
    to: '\tspellcheck: false,\n\tenableBlinkFeatures: "ExecCommandInJavaScript"',
  },
  { item: 'sandbox of all', from: 'electron.app.enableSandbox();', to: '' },
  { item: 'privileges of app://', from: 'codeCache: true', to: 'codeCache: true, bypassCSP: true' },
  { item: 'script-src', from: `\`script-src 'self'\``, to: `\`script-src 'self' 'unsafe-inline'\`` },
  { item: 'connect-src', from: `: "'none'"}`, to: `: "https:"}` },
  { item: 'trusted types', from: `,\n\t\`require-trusted-types-for 'script'\``, to: '' },
  { item: 'fresh nonce', from: '.randomBytes)(16)', to: '.createHash)("sha256").digest().subarray(0, 16)' },
  { item: 'spellings of paths', from: 'ownPath.test(path)', to: 'true', ...files },
  { item: 'links out of the folder', from: 'realpathSync(file) === file', to: 'true', ...files },
  { item: 'methods of app://', from: 'if (name !== "palimpsest" || method !== "GET")', to: 'if (false)' },
  { item: 'navigation', from: 'if (!mayGo(event.url, event.isMainFrame))', to: 'if (false)' },
  { item: 'navigation to links', from: 'if (isMainFrame) return address === appAddress;', to: '' },
  { item: 'redirects', from: 'contents.on("will-redirect", (event) => event.preventDefault());', to: '' },
  { item: '<webview>', from: 'contents.on("will-attach-webview", (event) => event.preventDefault());', to: '' },
  { item: 'new windows', from: '({ action: "deny" })', to: '({ action: "allow" })' },
  { item: 'permission requests', from: 'callback) => callback(false));', to: 'callback) => callback(true));' },
  {
    item: 'permission checks',
    from: 'setPermissionCheckHandler(() => false)',
    to: 'setPermissionCheckHandler(() => true)',
  },
  { item: 'devices', from: 'setDevicePermissionHandler(() => false)', to: 'setDevicePermissionHandler(() => true)' },
  { item: 'requests that leave', from: 'callback({ cancel: !(', to: 'callback({ cancel: false && !(' },
  { item: 'names', from: 'commandLine.appendSwitch("host-resolver-rules", "MAP * ~NOTFOUND");', to: '' },
  { item: 'own errands', from: '"disable-background-networking",', to: '' },
  { item: 'spell-checker', from: 'own.setSpellCheckerEnabled(false);', to: '' },
  { item: 'dictionaries', from: 'own.setSpellCheckerLanguages([]);', to: '' },
  { item: 'sender: frames', from: '!senderFrame || senderFrame.parent !== null', to: '!senderFrame' },
  { item: 'sender: address', from: 'senderFrame.url.split("#")[0] === appAddress', to: 'true' },
  { item: 'schemas', from: 'if (parsed.success) return await answer(parsed.data);', to: 'return await answer(given);' },
  { item: 'openExternal', from: 'electron.app.enableSandbox();', to: 'electron.app.enableSandbox(); electron.shell;' },
  {
    item: 'preload',
    file: preload,
    from: 'onGo: (listener)',
    to: 'ipc: () => electron.ipcRenderer, onGo: (listener)',
  },
  { item: 'second instance', from: 'electron.app.on("second-instance", () => show());', to: '' },
  {
    item: 'single instance',
    from: 'if (electron.app.requestSingleInstanceLock())',
    to: 'if (true)',
    test: 'e2e/second-start.web.e2e.ts',
  },
  { item: 'fuses', file: 'electron-builder.yml', from: 'runAsNode: false', to: 'runAsNode: true' },
  { item: 'version', file: 'package.json', from: '"electron": "45.', to: '"electron": "^44.' },
  {
    item: 'scripts in printed pages',
    from: 'javascript: false',
    to: 'javascript: true',
    test: 'e2e/example-app.web.e2e.ts',
  },
];

/** Names of the tests that fail. */
function failing(test: string): readonly string[] {
  const args = ['--test', '--test-reporter=tap', test];
  const { stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', timeout: 900_000 });
  const names = [...stdout.matchAll(/^ *not ok \d+ - (.+)$/gm)].map(([, name = '']) => name);
  // Suites and files fail with what is in them.
  return names.filter((name) => !/\.ts$|checklist/.test(name));
}

const only = process.argv.slice(2);
let unnoticed = 0;
for (const { item, from, to, file = main, test = security } of undoings) {
  if (only.length > 0 && !only.includes(item)) continue;
  const path = join(root, file);
  const before = readFileSync(path, 'utf8');
  if (!before.includes(from)) throw new Error(`${item}: ${file} has no ${from}`);
  try {
    writeFileSync(
      path,
      before.replace(from, () => to),
    );
    const noticed = failing(test);
    if (noticed.length === 0) unnoticed++;
    const what = noticed.length > 10 ? 'no window opens' : noticed.join('; ') || 'NOTHING NOTICES';
    console.log(`${noticed.length === 0 ? '✖' : '✔'} ${item}: ${what}`);
  } finally {
    writeFileSync(path, before);
  }
}
process.exitCode = unnoticed === 0 ? 0 : 1;
