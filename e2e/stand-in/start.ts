import { existsSync, mkdtempSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { app, stage } from './electron.ts';

const standIn = new URL('./electron.ts', import.meta.url).href;
export const out = fileURLToPath(new URL('../../out/', import.meta.url));

export interface StartedApp {
  readonly page: Page;
  /** As the system's "quit" does it. */
  quit(): Promise<void>;
}

export interface MainStart {
  /** As the switch names it; without, the application opens the one that it remembers. */
  readonly workspace?: string;
  /** The folder of its settings; an empty one when absent. */
  readonly userData?: string;
}

/** Runs the built main process in this process, once, with a page of `context` as its window. */
export async function startApp(context: BrowserContext, start: MainStart): Promise<StartedApp> {
  stage.context = context;
  runMain(start);
  const page = await opened();
  return {
    page,
    async quit() {
      app.quit();
      await stage.hasQuit.promise;
    },
  };
}

/** What `startApp` does, without waiting for a window. */
export function runMain({ workspace, userData }: MainStart): void {
  const main = join(out, 'main', 'application.cjs');
  if (!existsSync(main)) throw new Error(`${main} is not built: npm run build`);
  registerHooks({
    resolve: (specifier, from, next) =>
      specifier === 'electron' ? { url: standIn, shortCircuit: true } : next(specifier, from),
  });
  stage.userData = userData ?? mkdtempSync(join(tmpdir(), 'palimpsest-user-'));
  if (workspace !== undefined) stage.switches.set('workspace', workspace);
  createRequire(import.meta.url)(main);
  stage.isReady.resolve();
}

async function opened(): Promise<Page> {
  let hasQuit = false;
  void stage.hasQuit.promise.then(() => (hasQuit = true));
  for (;;) {
    const [window] = stage.windows;
    if (window) return window.webContents.page;
    if (hasQuit) throw new Error(`The application has quit: ${JSON.stringify(stage.said)}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
