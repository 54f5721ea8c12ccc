/**
 * Stands in for the module `electron` where its program cannot be had: the real main process and preload run on it, in
 * this Node process, with a page of Chromium for a window. It keeps what it was told, and refuses what Electron's checklist
 * forbids. Not here: the isolated world of the preload, the sandbox, native dialogs. Chromium refuses a scheme that it does
 * not know, so that `app://NAME` is `https://NAME.invalid` in the page.
 */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { compileFunction } from 'node:vm';
import type { BrowserContext, Download, Page, Route } from 'playwright-core';
import { exposeInPage } from './crossing.ts';
export { MessageChannelMain } from './ports.ts';
import { utilities } from './utility.ts';
export { utilityProcess } from './utility.ts';

const toPage = (url: string): string => url.replace(/^app:\/\/([^/]+)/, 'https://$1.invalid');
const toApp = (url: string): string => url.replace(/^https:\/\/([^/]+)\.invalid/, 'app://$1');

type Handler = (event: unknown, ...args: unknown[]) => unknown;
type Options = Readonly<Record<string, unknown>>;

/** What a test sets up and looks at. */
export const stage = {
  context: undefined as BrowserContext | undefined,
  userData: '',
  switches: new Map<string, string>(),
  hasLock: true,
  /** Answers of the dialogs to come. */
  answers: [] as unknown[],
  said: [] as { readonly kind: string; readonly options: unknown }[],
  notifications: [] as { readonly options: Options; readonly click: () => void }[],
  schemes: [] as { readonly scheme: string; readonly privileges: Options }[],
  menu: undefined as readonly Options[] | undefined,
  /** What each process of the application takes. */
  workingSetKilobytes: 0,
  isSandboxed: false,
  modelId: '',
  isReady: Promise.withResolvers<void>(),
  hasQuit: Promise.withResolvers<void>(),
  windows: [] as BrowserWindow[],
  ipc: new Map<string, Handler>(),
  answerScheme: new Map<string, (request: Request) => Response | Promise<Response>>(),
  /** Electron would ask where to. */
  downloads: new EventEmitter<{ saved: [{ readonly name: string; readonly bytes: Buffer }] }>(),
  guards: new Map<string, (...args: never[]) => unknown>(),
  spelling: { isOn: true, languages: ['en'] as readonly string[] },
};

class StandInApp extends EventEmitter {
  readonly isPackaged = false;
  #isEnding = false;
  readonly commandLine = {
    appendSwitch: (name: string, value = '') => void stage.switches.set(name, value),
    getSwitchValue: (name: string) => stage.switches.get(name) ?? '',
  };
  setAppUserModelId(id: string): void {
    stage.modelId = id;
  }
  enableSandbox(): void {
    stage.isSandboxed = true;
  }
  requestSingleInstanceLock = (): boolean => stage.hasLock;
  whenReady = async (): Promise<void> => stage.isReady.promise;
  getPath = (): string => stage.userData;
  getVersion = (): string => '0.0.0';
  getAppMetrics = (): readonly object[] =>
    utilities.map(({ pid }) => ({
      pid,
      cpu: { cumulativeCPUUsage: 0 },
      memory: { workingSetSize: stage.workingSetKilobytes },
    }));
  quit(): void {
    if (this.#isEnding) return;
    if (this.#ask('before-quit')) return;
    this.#isEnding = true;
    for (const window of stage.windows.slice()) window.destroy();
    stage.hasQuit.resolve();
  }
  #ask(name: string): boolean {
    const event = preventable();
    this.emit(name, event);
    return event.isPrevented();
  }
}

export const app = new StandInApp();

function preventable() {
  let prevented = false;
  return {
    preventDefault: () => {
      prevented = true;
    },
    isPrevented: () => prevented,
  };
}

const required: Options = { contextIsolation: true, sandbox: true, nodeIntegration: false, webSecurity: true };
const isWrong = (given: Options, [name, value]: [string, unknown]): boolean => (given[name] ?? value) !== value;

interface PrintOptions {
  readonly printBackground: boolean;
  readonly preferCSSPageSize: boolean;
  readonly generateTaggedPDF: boolean;
}

class WebContents extends EventEmitter {
  readonly sent = new EventEmitter();
  readonly page: Promise<Page>;
  openHandler: (details: { readonly url: string }) => { readonly action: string } = () => ({ action: 'allow' });
  #isDestroyed = false;

  constructor(preload?: string) {
    super();
    this.page = this.#open(preload);
    app.emit('web-contents-created', {}, this);
  }

  async #open(preload?: string): Promise<Page> {
    if (!stage.context) throw new Error('Expected stage.context before the first window');
    const page = await stage.context.newPage();
    await page.route('**/*', async (route) => this.#load(page, route));
    if (preload !== undefined) await runPreload(preload, page, this);
    page.on('download', (download) => void save(download));
    page.on('popup', (popup) => {
      if (this.openHandler({ url: toApp(popup.url()) }).action === 'deny') void popup.close();
    });
    return page;
  }

  /** A request of the page, as Electron would see it: a navigation may be prevented, the session may refuse, we answer. */
  async #load(page: Page, route: Route): Promise<void> {
    const request = route.request();
    const url = toApp(request.url());
    if (request.isNavigationRequest() && page.url() !== 'about:blank') {
      const event = { ...preventable(), url, isMainFrame: request.frame() === page.mainFrame() };
      const isReload = url.split('#')[0] === toApp(page.url()).split('#')[0];
      if (!isReload) this.emit('will-frame-navigate', event);
      if (event.isPrevented()) return route.abort('aborted');
    }
    if (isRefused(url)) return route.abort('blockedbyclient');
    const scheme = new URL(url).protocol.slice(0, -1);
    const answer = stage.answerScheme.get(scheme);
    if (!answer) return route.abort('failed');
    const response = await answer(new Request(url, { method: request.method() }));
    const body = Buffer.from(await response.arrayBuffer());
    await route.fulfill({ status: response.status, headers: Object.fromEntries(response.headers), body });
  }

  setWindowOpenHandler(handler: WebContents['openHandler']): void {
    this.openHandler = handler;
  }
  send(channel: string, ...args: unknown[]): void {
    this.sent.emit(channel, {}, ...args.map((each) => structuredClone(each)));
  }
  isDestroyed = (): boolean => this.#isDestroyed;
  async printToPDF({ printBackground, preferCSSPageSize, generateTaggedPDF }: PrintOptions): Promise<Buffer> {
    const page = await this.page;
    return page.pdf({ printBackground, preferCSSPageSize, tagged: generateTaggedPDF });
  }
  reload(): void {
    void this.page.then(async (page) => page.reload());
  }
  destroy(): void {
    this.#isDestroyed = true;
    this.emit('destroyed');
    void this.page.then(async (page) => page.close()).catch(() => undefined);
  }
}

/** Chromium does not ask the page's routes for what is to be saved. */
async function save(download: Download): Promise<void> {
  const url = toApp(download.url());
  const answer = stage.answerScheme.get(new URL(url).protocol.slice(0, -1));
  if (!answer) {
    stage.downloads.emit('saved', { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) });
    return;
  }
  const response = await answer(new Request(url));
  const [, name = ''] = /filename\*=UTF-8''(.+)$/.exec(response.headers.get('content-disposition') ?? '') ?? [];
  stage.downloads.emit('saved', { name: decodeURIComponent(name), bytes: Buffer.from(await response.arrayBuffer()) });
}

function isRefused(url: string): boolean {
  let isCancelled = false;
  const answer = ({ cancel }: { readonly cancel: boolean }): void => {
    isCancelled = cancel;
  };
  const guard = stage.guards.get('request');
  if (guard) Reflect.apply(guard, undefined, [{ url }, answer]);
  return isCancelled;
}

/** In Electron it runs in a world of its own, and may load nothing but this. */
async function runPreload(path: string, page: Page, contents: WebContents): Promise<void> {
  const exposed: Promise<void>[] = [];
  const ipcRenderer = {
    invoke: async (channel: string, ...args: unknown[]): Promise<unknown> => {
      const handler = stage.ipc.get(channel);
      if (!handler) throw new Error(`No handler registered for '${channel}'`);
      const senderFrame = { url: toApp(page.url()), parent: null };
      return handler({ sender: contents, senderFrame }, ...args.map((each) => structuredClone(each)));
    },
    on: (channel: string, listener: (...args: unknown[]) => void) => void contents.sent.on(channel, listener),
    off: (channel: string, listener: (...args: unknown[]) => void) => void contents.sent.off(channel, listener),
  };
  const contextBridge = {
    exposeInMainWorld: (name: string, api: Parameters<typeof exposeInPage>[2]) =>
      void exposed.push(exposeInPage(page, name, api)),
  };
  const load = (name: string): unknown => {
    if (name === 'electron') return { contextBridge, ipcRenderer };
    throw new Error(`A sandboxed preload cannot load ${name}`);
  };
  compileFunction(readFileSync(path, 'utf8'), ['require', 'exports', 'module'])(load, {}, {});
  await Promise.all(exposed);
}

export class BrowserWindow extends EventEmitter {
  readonly options: Options;
  readonly webContents: WebContents;
  progress = -1;
  isInFront = true;

  constructor(options: Options & { readonly webPreferences: Options & { readonly preload?: string } }) {
    super();
    this.options = options;
    const wrong = Object.entries(required).filter((each) => isWrong(options.webPreferences, each));
    // What has no preload of ours is not our page.
    const { preload, javascript = true } = options.webPreferences;
    if (preload === undefined && javascript !== false) wrong.push(['javascript', javascript]);
    if (wrong.length > 0) throw new Error(`Insecure window: ${wrong.map(([name]) => name).join(', ')}`);
    this.webContents = new WebContents(preload);
    stage.windows.push(this);
  }
  async loadURL(url: string): Promise<void> {
    const page = await this.webContents.page;
    await page.goto(toPage(url));
    this.emit('ready-to-show');
  }
  setProgressBar(fraction: number): void {
    this.progress = fraction;
  }
  isFocused = (): boolean => this.isInFront;
  isMinimized = (): boolean => false;
  restore(): void {}
  show(): void {}
  focus(): void {
    this.isInFront = true;
  }
  close(): void {
    const event = preventable();
    this.emit('close', event);
    if (!event.isPrevented()) this.destroy();
  }
  destroy(): void {
    stage.windows.splice(stage.windows.indexOf(this), 1);
    this.webContents.destroy();
    this.emit('closed');
    if (stage.windows.length === 0) app.emit('window-all-closed');
  }
}

const defaultSession = {
  protocol: {
    handle: (scheme: string, answer: (request: Request) => Response) => void stage.answerScheme.set(scheme, answer),
  },
  webRequest: { onBeforeRequest: (guard: () => void) => void stage.guards.set('request', guard) },
  setPermissionRequestHandler: (guard: () => void) => void stage.guards.set('permission', guard),
  setPermissionCheckHandler: (guard: () => boolean) => void stage.guards.set('permission-check', guard),
  setDevicePermissionHandler: (guard: () => boolean) => void stage.guards.set('device', guard),
  setSpellCheckerEnabled: (isOn: boolean) => void (stage.spelling.isOn = isOn),
  setSpellCheckerLanguages: (languages: readonly string[]) => void (stage.spelling.languages = languages),
};

export const session = { defaultSession };

export const protocol = {
  registerSchemesAsPrivileged: (schemes: typeof stage.schemes) => void (stage.schemes = schemes),
};

export const ipcMain = {
  handle(channel: string, handler: Handler): void {
    if (stage.ipc.has(channel)) throw new Error(`Attempted to register a second handler for '${channel}'`);
    stage.ipc.set(channel, handler);
  },
};

export const Menu = {
  buildFromTemplate: (template: readonly Options[]) => template,
  setApplicationMenu: (menu: readonly Options[]) => void (stage.menu = menu),
};

const answered = async (kind: string, options: unknown, otherwise: unknown): Promise<unknown> => {
  stage.said.push({ kind, options });
  return stage.answers.shift() ?? otherwise;
};

export const dialog = {
  showErrorBox: (title: string, content: string) =>
    void stage.said.push({ kind: 'error', options: { title, content } }),
  showMessageBox: (...given: unknown[]) => answered('message', given.at(-1), { response: 0 }),
  showOpenDialog: (...given: unknown[]) => answered('open', given.at(-1), { filePaths: [] }),
};

export class Notification extends EventEmitter {
  static isSupported = (): boolean => true;
  readonly #options: Options;
  constructor(options: Options) {
    super();
    this.#options = options;
  }
  show(): void {
    stage.notifications.push({ options: this.#options, click: () => void this.emit('click') });
  }
}
