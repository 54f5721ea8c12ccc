import { once } from 'node:events';
import { mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
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
  /** Takes the same page to another, empty workspace. */
  goElsewhere(): Promise<void>;
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
  const folder = makeFolder();
  const workspace = join(folder, 'workspace');
  const enter = loopback ? { enter: loopback.enter } : {};
  const servers = [await serve(workspace, enter)];
  const context = await openChromium(loopback?.wrap);
  const page = await context.newPage();
  const complaints = listen(page);
  await page.goto(servers[0]?.url ?? '');
  return {
    surface: 'browser',
    page,
    workspace,
    complaints,
    nextSaved: async () => nextDownload(page),
    async goElsewhere() {
      const there = await serve(join(folder, 'elsewhere'), enter);
      servers.push(there);
      await page.goto(there.url);
    },
    async close() {
      await Promise.all(servers.map(async (each) => each.close()));
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The window of the application: its real main process and preload on a stand-in for Electron. Once in a process. */
export const openStandIn: Opener = async () => {
  const folder = makeFolder();
  const workspace = join(folder, 'workspace');
  const context = await openChromium();
  try {
    const { page, quit } = await startApp(context, { workspace });
    return {
      surface: 'application',
      page,
      workspace,
      complaints: listen(page),
      async nextSaved() {
        const [saved] = await once(stage.downloads, 'saved', { signal: AbortSignal.timeout(patienceMs) });
        return saved;
      },
      async goElsewhere() {
        const elsewhere = join(folder, 'elsewhere');
        stage.answers.push({ filePaths: [elsewhere] });
        await changeWorkspace(page, elsewhere);
      },
      async close() {
        await quit();
        await context.close();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (thrown) {
    // A browser that is left open keeps the tests from ending.
    await context.close();
    throw thrown;
  }
};

/** By the settings of the application, whose dialog answers with `folder`. */
export async function changeWorkspace(page: Page, folder: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: 'Settings', exact: true }).click();
  await page.getByRole('button', { name: 'Change workspace' }).click();
  await page.getByText(folder, { exact: true }).waitFor();
}

const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'palimpsest-e2e-'));

async function nextDownload(page: Page): Promise<Saved> {
  const download = await page.waitForEvent('download');
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
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

/** The address with a fresh token, for another browser: by the settings of a window in a browser. */
export async function invite(page: Page): Promise<string> {
  await page.getByRole('navigation').getByRole('link', { name: 'Settings', exact: true }).click();
  await page.getByRole('button', { name: 'Make an address' }).click();
  return page.locator('code', { hasText: '#token=' }).innerText();
}
