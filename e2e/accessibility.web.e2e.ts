import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { BrowserContext, Page } from 'playwright-core';
import { seriousProblems } from './axe.ts';
import { openChromium, textOfTwiceTheSize } from './chromium.ts';
import { tooLong } from './fits.ts';
import { invite, listen, openServed, type Opened } from './open.ts';
import { makeContent, visitPages, type Content, type Visited } from './pages.ts';

describe('every page, form and dialog', { timeout: 900_000 }, () => {
  let opened: Opened;
  let content: Content;
  let pages: readonly Visited[];
  let large: BrowserContext | undefined;

  before(async () => {
    opened = await openServed();
    await opened.page.emulateMedia({ reducedMotion: 'reduce' });
    content = await makeContent(opened.page);
    pages = visitPages(opened.page, content);
  });

  after(async () => {
    await large?.close();
    await opened?.close();
  });

  async function problems(
    visited: readonly Visited[],
    find: () => Promise<readonly string[]>,
  ): Promise<readonly string[]> {
    const found: string[] = [];
    for (const { name, show, leave } of visited) {
      await show();
      found.push(...(await find()).map((problem) => `${name}: ${problem}`));
      await leave?.();
    }
    return found;
  }

  for (const scheme of ['light', 'dark'] as const) {
    it(`has no serious problem for axe, ${scheme}`, async () => {
      await opened.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      assert.deepEqual(await problems(pages, async () => seriousProblems(opened.page)), []);
    });
  }

  for (const [size, width, height] of [
    ['at 1024 × 700', 1024, 700],
    ['at 1440 × 900 enlarged to 200 %', 720, 450],
  ] as const) {
    it(`fits ${size}`, async () => {
      await opened.page.setViewportSize({ width, height });
      assert.deepEqual(await problems(pages, async () => tooLong(opened.page)), []);
    });
  }

  it('fits with text of twice the size', async () => {
    await opened.page.setViewportSize({ width: 1440, height: 900 });
    const url = await invite(opened.page);
    large = await openChromium(undefined, textOfTwiceTheSize);
    const page: Page = await large.newPage();
    listen(page);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.goto(url);
    assert.deepEqual(await problems(visitPages(page, content), async () => tooLong(page)), []);
  });
});
