import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { seriousProblems } from './axe.ts';
import { openServed, type Opened } from './open.ts';
import { visitPages, type Visited } from './pages.ts';

describe('axe finds no serious problem', { timeout: 600_000 }, () => {
  let opened: Opened;
  let pages: readonly Visited[];

  before(async () => {
    opened = await openServed();
    pages = await visitPages(opened.page);
  });

  after(async () => opened?.close());

  for (const scheme of ['light', 'dark'] as const) {
    it(`on any page, ${scheme}`, async () => {
      await opened.page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
      const problems: string[] = [];
      for (const { name, show, leave } of pages) {
        await show();
        problems.push(...(await seriousProblems(opened.page)).map((problem) => `${name}: ${problem}`));
        await leave?.();
      }
      assert.deepEqual(problems, []);
    });
  }
});
