import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { openChromium } from './chromium.ts';
import type { Loopback } from './loopback.ts';
import { serve } from './server.ts';
import { startApp } from './stand-in/start.ts';

/** A window on a fresh workspace, however it is made. */
export interface Opened {
  readonly page: Page;
  readonly workspace: string;
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
  return { page, workspace, complaints, close: () => closeAll(context, async () => served.close(), workspace) };
}

/** The window of the application: its real main process and preload on a stand-in for Electron. Once in a process. */
export const openStandIn: Opener = async () => {
  const workspace = makeWorkspace();
  const context = await openChromium();
  try {
    const { page, quit } = await startApp(context, workspace);
    return { page, workspace, complaints: listen(page), close: () => closeAll(context, quit, workspace) };
  } catch (thrown) {
    // A browser that is left open keeps the tests from ending.
    await context.close();
    throw thrown;
  }
};

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
