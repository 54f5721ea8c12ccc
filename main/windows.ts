import { dirname, join } from 'node:path';
import { app, BrowserWindow, dialog, Menu } from 'electron';
import { appAddress, channels } from '../core/contract/channels.ts';
import { QueueFacts } from '../core/contract/machine.ts';
import { webPreferences } from './guards.ts';
import type { Host } from './host.ts';
import { menuTemplate } from './menu.ts';
import { tellDesktop } from './notices.ts';

/** For systems whose windows have one; packages carry their own. */
const icon = join(dirname(dirname(import.meta.dirname)), 'assets', 'icon', '256x256.png');

export interface Windows {
  /** The window, in front, at an address after '#' where one is given. */
  show(hash?: string): void;
  /** Asks for a folder and goes over to the workspace there; says whether it did. */
  changeWorkspace(): Promise<boolean>;
}

/** The window, its menu, and what happens when it is closed. */
export function openWindows(host: Host, preload: string): Windows {
  let window: BrowserWindow | undefined;
  let state: 'open' | 'asking' | 'ending' | 'ended' = 'open';

  const show = (hash?: string): void => {
    if (window) {
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
      if (hash !== undefined) window.webContents.send(channels.go, hash);
      return;
    }
    window = createWindow(preload, hash);
    window.on('close', (event) => {
      if (state === 'ended') return;
      event.preventDefault();
      void end();
    });
    window.on('closed', () => {
      window = undefined;
    });
  };

  /** Runs are stopped at a safe point first; the user may think better of it, and may not hurry it by a second click. */
  const end = async (): Promise<void> => {
    if (state !== 'open') return;
    state = 'asking';
    state = (await mayStop(host, window, 'quit')) ? 'ending' : 'open';
    if (state === 'open') return;
    try {
      await host.service.close();
    } finally {
      state = 'ended';
      app.quit();
    }
  };

  app.on('second-instance', () => show());
  app.on('activate', () => show());
  app.on('window-all-closed', () => app.quit());
  app.on('before-quit', (event) => {
    if (state === 'ended') return;
    event.preventDefault();
    void end();
  });
  app.on('render-process-gone', (_event, contents, { reason }) => {
    if (contents === window?.webContents && reason !== 'clean-exit')
      void offerReload(contents.reload.bind(contents), reason);
  });
  let isChanging = false;
  const changeWorkspace = async (): Promise<boolean> => {
    if (isChanging || state !== 'open') return false;
    isChanging = true;
    try {
      const { filePaths } = await dialog.showOpenDialog({
        title: 'Choose a workspace',
        defaultPath: host.workspaceDir,
        properties: ['openDirectory', 'createDirectory'],
      });
      const [folder] = filePaths;
      return (
        folder !== undefined && (await host.move(folder, async () => mayStop(host, window, 'change the workspace')))
      );
    } finally {
      isChanging = false;
    }
  };
  Menu.setApplicationMenu(
    Menu.buildFromTemplate(menuTemplate({ show, isPackaged: app.isPackaged, platform: process.platform })),
  );
  tellDesktop(host, { show, window: () => window });
  return { show, changeWorkspace };
}

function createWindow(preload: string, hash = ''): BrowserWindow {
  const window = new BrowserWindow({
    title: 'Palimpsest',
    icon,
    width: 1440,
    height: 900,
    minWidth: 640,
    minHeight: 480,
    show: false,
    backgroundColor: '#ffffff',
    webPreferences: { ...webPreferences, preload, devTools: !app.isPackaged },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(`${appAddress}${hash}`);
  return window;
}

/** True when nothing is being computed, or the user wants it stopped to do `what`. */
async function mayStop({ service }: Host, window: BrowserWindow | undefined, what: string): Promise<boolean> {
  const answer = await service.request('queue.facts', {});
  const facts = answer.ok ? QueueFacts.safeParse(answer.result).data : undefined;
  if (!facts || facts.running.length === 0) return true;
  const question = {
    type: 'question' as const,
    message: `A run is being computed. Stop it and ${what}?`,
    detail: 'It stops at a safe point and can be resumed from there.',
    buttons: [`Stop it and ${what}`, 'Go on computing'],
    defaultId: 1,
    cancelId: 1,
  };
  const { response } = await (window ? dialog.showMessageBox(window, question) : dialog.showMessageBox(question));
  return response === 0;
}

async function offerReload(reload: () => void, reason: string): Promise<void> {
  const { response } = await dialog.showMessageBox({
    type: 'warning',
    message: 'The window has ended unexpectedly.',
    detail: `Runs go on, and nothing that was computed is lost (${reason}).`,
    buttons: ['Open it again', 'Leave it'],
    cancelId: 1,
  });
  if (response === 0) reload();
}
