import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { openServed, type Opened } from './open.ts';
import { visitPages, type Visited } from './pages.ts';

const sizes = [
  { name: 'at 1024 × 700', width: 1024, height: 700, fontSize: '' },
  { name: 'at 1440 × 900, enlarged to 200 %', width: 720, height: 450, fontSize: '' },
  { name: 'at 1440 × 900, with text of 200 %', width: 1440, height: 900, fontSize: '200%' },
] as const;

describe('texts fit', { timeout: 900_000 }, () => {
  let opened: Opened;
  let pages: readonly Visited[];

  before(async () => {
    opened = await openServed();
    await opened.page.emulateMedia({ reducedMotion: 'reduce' });
    pages = await visitPages(opened.page);
  });

  after(async () => opened?.close());

  for (const { name: size, width, height, fontSize } of sizes) {
    it(`on every page ${size}`, async () => {
      const { page } = opened;
      await page.setViewportSize({ width, height });
      await page.evaluate((to) => {
        document.documentElement.style.fontSize = to;
      }, fontSize);
      const problems: string[] = [];
      for (const { name, show, leave } of pages) {
        await show();
        problems.push(...(await tooLong(page)).map((problem) => `${name}: ${problem}`));
        await leave?.();
      }
      assert.deepEqual(problems, []);
    });
  }
});

/** What is cut off or runs over: the page is moved sideways, or a text ends unseen with nothing that says the whole of it. */
async function tooLong(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const main = document.querySelector('main');
    if (main && main.scrollWidth > main.clientWidth + 1) {
      const edge = main.getBoundingClientRect().left + main.clientWidth;
      const wide = [...main.querySelectorAll<HTMLElement>('*')].filter(
        (each) => each.getBoundingClientRect().right > edge + 1 && each.children.length === 0,
      );
      found.push(`runs over by ${main.scrollWidth - main.clientWidth} px: ${wide[0]?.outerHTML.slice(0, 160)}`);
    }
    const isHidden = (each: HTMLElement): boolean => each.closest('[aria-hidden=true]') !== null;
    for (const each of document.querySelectorAll<HTMLElement>('body *')) {
      const text = each.innerText?.trim() ?? '';
      if (text === '' || isHidden(each) || each.closest('.MuiDataGrid-root, input, textarea, [hidden]')) continue;
      const { overflowX, overflowY, position } = getComputedStyle(each);
      // What is for screen readers alone is a pixel large.
      if (position === 'absolute' && each.clientWidth <= 1) continue;
      const isCutX = overflowX === 'hidden' && each.scrollWidth > each.clientWidth + 1;
      const isCutY = overflowY === 'hidden' && each.scrollHeight > each.clientHeight + 2;
      if ((isCutX || isCutY) && each.closest('[title]') === null) {
        found.push(`cut off: "${text.slice(0, 60)}" in ${each.className.slice(0, 60)}`);
      }
    }
    return found;
  });
}
