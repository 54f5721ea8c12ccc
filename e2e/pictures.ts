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
import { openServed } from './open.ts';
import { visitPages } from './pages.ts';

const { values } = parseArgs({ options: { every: { type: 'string' }, only: { type: 'string' } } });
const folder = resolve(values.every ?? fileURLToPath(new URL('../docs/images/', import.meta.url)));
/** Shown in the documents. */
const shown = ['start', 'run-live', 'run', 'model', 'form-sweep', 'audit', 'group', 'compare', 'report'];
const wanted = values.only?.split(' ') ?? (values.every === undefined ? shown : undefined);

interface Size {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly fontSize: string;
}

const usual: Size = { name: '', width: 1440, height: 900, fontSize: '' };
const sizes: readonly Size[] =
  values.every === undefined
    ? [usual]
    : [
        usual,
        { name: '-small', width: 1024, height: 700, fontSize: '' },
        { name: '-zoomed', width: 720, height: 450, fontSize: '' },
        { name: '-large', width: 1440, height: 900, fontSize: '200%' },
      ];

async function become(page: Page, { width, height, fontSize }: Size): Promise<void> {
  await page.setViewportSize({ width, height });
  await page.evaluate((size) => {
    document.documentElement.style.fontSize = size;
  }, fontSize);
}

async function take(page: Page, name: string): Promise<void> {
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    // Charts are drawn a frame each.
    await page.evaluate(async () => new Promise((done) => setTimeout(done, 300)));
    await page.screenshot({ path: join(folder, `${name}-${scheme}.png`), animations: 'disabled' });
  }
}

mkdirSync(folder, { recursive: true });
const opened = await openServed();
try {
  const { page } = opened;
  for (const { name, show, leave } of await visitPages(page, { isToBeSeen: true })) {
    if (wanted && !wanted.includes(name)) continue;
    for (const size of sizes) {
      await become(page, size);
      await show();
      await take(page, name + size.name);
      await leave?.();
    }
    await become(page, usual);
    console.log(name);
  }
} finally {
  await opened.close();
}
