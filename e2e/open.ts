import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import type { Loopback } from './loopback.ts';
import { serve } from './server.ts';
import { stage } from './stand-in/electron.ts';
import { startApp } from './stand-in/start.ts';

export interface Saved {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A window on a fresh workspace, however it is made. */
export interface Opened {
  readonly surface: 'browser' | 'application';
  readonly page: Page;
  readonly workspace: string;
  /** The next file that the window saves. Asked before what saves it is done. */
  nextSaved(): Promise<Saved>;
  /** What the page has complained about, and what it has asked for outside. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** The same specification runs on each. */
export type Opener = () => Promise<Opened>;

const patienceMs = 120_000;

/** The window in a browser, before `palimpsest serve`. */
export const openServed: Opener = async () => openServedIn(undefined);

/** The same where there is no network: server, runs and browser see nothing but the loopback. */
export async function openServedIn(loopback: Loopback | undefined): Promise<Opened> {
  const workspace = makeWorkspace();
  const served = await serve(workspace, loopback ? { enter: loopback.enter } : {});
  const context = await openChromium(loopback?.wrap);
  const page = await context.newPage();
  const complaints = listen(page);
  await page.goto(served.url);
  const close = async (): Promise<void> => closeAll(context, async () => served.close(), workspace);
  return { surface: 'browser', page, workspace, complaints, nextSaved: async () => nextDownload(page), close };
}

/** The window of the application: its real main process and preload on a stand-in for Electron. Once in a process. */
export const openStandIn: Opener = async () => {
  const workspace = makeWorkspace();
  const context = await openChromium();
  try {
    const { page, quit } = await startApp(context, workspace);
    const close = async (): Promise<void> => closeAll(context, quit, workspace);
    const nextSaved = async (): Promise<Saved> => {
      const [saved] = await once(stage.downloads, 'saved');
      return saved;
    };
    return { surface: 'application', page, workspace, complaints: listen(page), nextSaved, close };
  } catch (thrown) {
    // A browser that is left open keeps the tests from ending.
    await context.close();
    throw thrown;
  }
};

async function nextDownload(page: Page): Promise<Saved> {
  const download = await page.waitForEvent('download');
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

const makeWorkspace = (): string => mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));

async function closeAll(context: BrowserContext, end: () => Promise<void>, workspace: string): Promise<void> {
  await end();
  await context.close();
  await rm(workspace, { recursive: true, force: true });
}

export function listen(page: Page): string[] {
  const complaints: string[] = [];
  page.setDefaultTimeout(patienceMs);
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const isOwn =
      hostname === '127.0.0.1' || hostname.endsWith('.invalid') || ['app:', 'data:', 'blob:'].includes(protocol);
    if (!isOwn) complaints.push(`asked for ${request.url()}`);
  });
  return complaints;
}
