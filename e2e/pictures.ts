/**
 * Pictures of the window, light and dark: node e2e/pictures.ts makes those that README.md and docs/tour.md show, into
 * docs/images. With --every FOLDER: every page, form and dialog, at 1440 × 900, at 1024 × 700 and with text of twice the size,
 * to be looked at before a release; --only 'run audit' takes some of them.
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { openChromium, textOfTwiceTheSize } from './chromium.ts';
import { invite, listen, openServed } from './open.ts';
import { makeContent, visitPages, type Content } from './pages.ts';

const { values } = parseArgs({ options: { every: { type: 'string' }, only: { type: 'string' } } });
const folder = resolve(values.every ?? fileURLToPath(new URL('../docs/images/', import.meta.url)));
/** Shown in the documents. */
const shown = ['start', 'run-live', 'model', 'form-sweep', 'audit', 'group', 'compare', 'report'];
const wanted = values.only?.split(' ') ?? (values.every === undefined ? shown : undefined);

interface Look {
  readonly page: Page;
  /** Behind the name of the page. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

async function take(page: Page, name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    // Charts are drawn a frame each.
    await page.evaluate(async () => new Promise((done) => setTimeout(done, 300)));
    await page.screenshot({ path: join(folder, `${name}-${scheme}.png`), animations: 'disabled' });
  }
}

async function takeAll({ page, name, width, height }: Look, content: Content, isLive: boolean): Promise<void> {
  await page.setViewportSize({ width, height });
  for (const visited of visitPages(page, content, { isLive })) {
    if (wanted && !wanted.includes(visited.name)) continue;
    await visited.show();
    await take(page, visited.name + name);
    await visited.leave?.();
    console.log(visited.name + name);
  }
}

mkdirSync(folder, { recursive: true });
const opened = await openServed();
try {
  const { page } = opened;
  const content = await makeContent(page, { isToBeSeen: true });
  if (values.every !== undefined) {
    await takeAll({ page, name: '-small', width: 1024, height: 700 }, content, false);
    await takeAll({ page, name: '-zoomed', width: 720, height: 450 }, content, false);
    const url = await invite(page);
    const large = await openChromium(undefined, textOfTwiceTheSize);
    const wide = await large.newPage();
    listen(wide);
    await wide.goto(url);
    await takeAll({ page: wide, name: '-large', width: 1440, height: 900 }, content, false);
    await large.close();
  }
  await takeAll({ page, name: '', width: 1440, height: 900 }, content, true);
} finally {
  await opened.close();
}
