import { app, type App, type Session, type WebContents, type WebPreferences } from 'electron';
import { appAddress, appScheme } from '../core/contract/channels.ts';
import { paths } from '../core/contract/http.ts';

/** What a window of ours may do: draw, and talk to us through the preload. */
export const webPreferences: WebPreferences = {
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  experimentalFeatures: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  safeDialogs: true,
  spellcheck: false,
};

/** Chromium's own errands, and any name that anything might want to look up. Before the application is ready. */
export function shutTheNet(): void {
  const { commandLine } = app;
  for (const flag of ['disable-background-networking', 'disable-component-update', 'disable-domain-reliability']) {
    commandLine.appendSwitch(flag);
  }
  commandLine.appendSwitch('host-resolver-rules', 'MAP * ~NOTFOUND');
  commandLine.appendSwitch('disable-features', 'OptimizationHints,MediaRouter,AutofillServerCommunication');
}

/** Addresses that a window may load: its own, and what it has made itself. */
const ownSchemes = new Set([`${appScheme}:`, 'blob:', 'data:']);
const toolSchemes = new Set(['devtools:', 'chrome-extension:']);

const schemeOf = (url: string): string => /^[a-z][a-z0-9+.-]*:/i.exec(url)?.[0].toLowerCase() ?? '';

/** Only letters of the page itself: no network, no permission, no dictionary, no device. */
export function guardSession(own: Session): void {
  own.webRequest.onBeforeRequest(({ url }, callback) => {
    const scheme = schemeOf(url);
    callback({ cancel: !(ownSchemes.has(scheme) || (!app.isPackaged && toolSchemes.has(scheme))) });
  });
  own.setPermissionRequestHandler((_contents, _permission, callback) => callback(false));
  own.setPermissionCheckHandler(() => false);
  own.setDevicePermissionHandler(() => false);
  own.setSpellCheckerEnabled(false);
  own.setSpellCheckerLanguages([]);
}

/** Every page, whoever made it, stays where it is and opens nothing. */
export function guardContents(application: App): void {
  application.on('web-contents-created', (_event, contents) => guard(contents));
}

function guard(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-frame-navigate', (event) => {
    if (!mayGo(event.url, event.isMainFrame)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** The window stays on its one page; a frame inside it may show what a ticket leads to. */
function mayGo(url: string, isMainFrame: boolean): boolean {
  const [address = ''] = url.split('#');
  if (isMainFrame) return address === appAddress;
  return address === 'about:blank' || address.startsWith(`${appAddress}${paths.link.slice(1)}`);
}
